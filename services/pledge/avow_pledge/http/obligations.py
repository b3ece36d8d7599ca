"""Obligations: who owed what, and what came of it (R-33, R-34, R-40)."""

from typing import Annotated

from fastapi import APIRouter, Query

from avow.contracts.obligation import Outcome
from avow.contracts.values import Identity, Key
from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterPosition, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.obligation import AssessObligations, WaiveObligation, obligation_round, round_id
from avow_pledge.facts import obligation_facts
from avow_pledge.projections.obligation_calendar import ObligationCalendar
from avow_pledge.reading.obligations import (
    ObligationEntry,
    RoundEntry,
    Wanted,
    obligation_entries,
    round_entries,
)

router = APIRouter(tags=["obligations"], route_class=CommandRoute)


@router.post("/{org}/obligations/rounds", status_code=201, responses=COMMAND_RESPONSES)
async def assess_obligations(body: AssessObligations, call: Call) -> Accepted:
    """Say what came of an obligation in a period whose days of grace are over, for everybody who owed it.

    Asked again, it says anew what a late entry has changed, and nothing else. The answer's id is the round's.
    """
    identity = round_id(body.campaign_id, body.obligation, body.starts_on)
    return await call.execute(obligation_round, identity, body, obligation_facts)


@router.post("/{org}/obligations/rounds/{round_id}/waive", status_code=201, responses=COMMAND_RESPONSES)
async def waive_obligation(round_id: Identity, body: WaiveObligation, call: Call) -> Accepted:
    """Let one of a round's missed obligations go that is due in principle; the answer's id is the round's (R-33)."""
    return await call.execute(obligation_round, round_id, body, obligation_facts)


@router.get("/{org}/obligations/rounds", responses=READ_RESPONSES)
async def obligation_rounds(view: View, campaign_id: Annotated[Identity, Query()]) -> Listing[RoundEntry]:
    """The rounds of a campaign whose period has begun, by due day: what is due, overdue or assessed now."""
    return await view.list(
        (Register.name, ObligationCalendar.name),
        lambda connection: round_entries(connection, view.org, campaign_id, view.now),
    )


@router.get("/{org}/obligations", responses=READ_RESPONSES)
async def obligations(
    view: View,
    campaign_id: Identity | None = None,
    obligation: Key | None = None,
    unit_id: Identity | None = None,
    owner_id: Identity | None = None,
    round_id: Identity | None = None,
    outcome: Outcome | None = None,
    waived: bool | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[ObligationEntry]:
    """What was assessed, newest first, with what was last said of it."""
    wanted = Wanted(campaign_id, obligation, unit_id, owner_id, round_id, outcome, waived)
    return await view.list(
        ObligationCalendar.name,
        lambda connection: obligation_entries(connection, view.org, wanted, after, limit),
        next_page(limit, lambda entry: entry.position),
    )
