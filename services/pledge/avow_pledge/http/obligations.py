"""Obligations: who owed what, and what came of it (R-33, R-34, R-40)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.obligation import AssessObligations, WaiveObligation, obligation_round, round_id
from avow_pledge.facts import obligation_facts
from avow_pledge.reading.obligations import OBLIGATIONS, ROUNDS, ObligationsWanted, RoundsWanted

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


@router.get("/{org}/obligations/rounds", **listing(ROUNDS))
async def obligation_rounds(view: View, wanted: Annotated[RoundsWanted, Depends()], page: PageAsked) -> Response:
    """The rounds of a campaign whose period has begun, by due day: what is due, overdue or assessed now."""
    return await answer(view, ROUNDS, wanted, page)


@router.get("/{org}/obligations", **listing(OBLIGATIONS))
async def obligations(view: View, wanted: Annotated[ObligationsWanted, Depends()], page: PageAsked) -> Response:
    """What was assessed, newest first, with what was last said of it."""
    return await answer(view, OBLIGATIONS, wanted, page)
