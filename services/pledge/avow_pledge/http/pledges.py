"""Pledges (R-26, R-28, R-29)."""

from fastapi import APIRouter

from avow.contracts.values import Identity, Key
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterPosition, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.pledge import ApprovePledge, DraftPledge, MakePledge, ReturnPledge, SubmitPledge, pledge
from avow_pledge.facts import pledge_facts, pledge_redraft_facts
from avow_pledge.projections.pledge_wall import PledgeWall
from avow_pledge.reading.pledges import WallEntry, wall_entries

router = APIRouter(tags=["pledges"], route_class=CommandRoute)


@router.post("/{org}/pledges", status_code=201, responses=COMMAND_RESPONSES)
async def draft_pledge(body: DraftPledge, call: Call) -> Accepted:
    """Write a pledge."""
    return await call.create(pledge, body, pledge_facts)


@router.post("/{org}/pledges/{pledge_id}/draft", status_code=201, responses=COMMAND_RESPONSES)
async def redraft_pledge(pledge_id: Identity, body: DraftPledge, call: Call) -> Accepted:
    """Write a pledge anew, before it is submitted or after it was returned."""
    return await call.execute(pledge, pledge_id, body, pledge_redraft_facts)


@router.post("/{org}/pledges/{pledge_id}/submit", status_code=201, responses=COMMAND_RESPONSES)
async def submit_pledge(pledge_id: Identity, body: SubmitPledge, call: Call) -> Accepted:
    """Put a complete draft before the secretary (R-26)."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.post("/{org}/pledges/{pledge_id}/approve", status_code=201, responses=COMMAND_RESPONSES)
async def approve_pledge(pledge_id: Identity, body: ApprovePledge, call: Call) -> Accepted:
    """Find a submitted pledge good; nobody's own."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.post("/{org}/pledges/{pledge_id}/return", status_code=201, responses=COMMAND_RESPONSES)
async def return_pledge(pledge_id: Identity, body: ReturnPledge, call: Call) -> Accepted:
    """Give a submitted pledge back with the reason; nobody's own."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.post("/{org}/pledges/{pledge_id}/make", status_code=201, responses=COMMAND_RESPONSES)
async def make_pledge(pledge_id: Identity, body: MakePledge, call: Call) -> Accepted:
    """Publish an approved pledge within its scope; from then on its text is frozen (R-29)."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.get("/{org}/pledges", responses=READ_RESPONSES)
async def pledges(
    view: View,
    campaign_id: Identity | None = None,
    unit_id: Identity | None = None,
    pledger_id: Identity | None = None,
    scope: Key | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[WallEntry]:
    """The pledges made, newest first."""
    return await view.list(
        PledgeWall.name,
        lambda connection: wall_entries(
            connection, view.org, campaign_id, unit_id, pledger_id, scope, after=after, limit=limit
        ),
        next_page(limit, lambda entry: entry.position),
    )
