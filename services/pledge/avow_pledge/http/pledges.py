"""Pledges, and what came of them (R-26, R-28, R-29, R-31)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.pledge import (
    ApprovePledge,
    DraftPledge,
    MakePledge,
    ReportProgress,
    ReturnPledge,
    SubmitPledge,
    VerifyItem,
    WithdrawPledge,
    pledge,
)
from avow_pledge.facts import pledge_facts, pledge_redraft_facts
from avow_pledge.reading.pledges import PLEDGES, PROGRESS, PledgesWanted, ProgressWanted

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


@router.post("/{org}/pledges/{pledge_id}/progress", status_code=201, responses=COMMAND_RESPONSES)
async def report_progress(pledge_id: Identity, body: ReportProgress, call: Call) -> Accepted:
    """Say how far an item has come, and declare it fulfilled when it is (R-31)."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.post("/{org}/pledges/{pledge_id}/verify", status_code=201, responses=COMMAND_RESPONSES)
async def verify_item(pledge_id: Identity, body: VerifyItem, call: Call) -> Accepted:
    """Find an item fulfilled that was declared so; nobody's own (R-31)."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.post("/{org}/pledges/{pledge_id}/withdraw", status_code=201, responses=COMMAND_RESPONSES)
async def withdraw_pledge(pledge_id: Identity, body: WithdrawPledge, call: Call) -> Accepted:
    """Give items up that are not verified, with the reason; excused by somebody else (R-31)."""
    return await call.execute(pledge, pledge_id, body, pledge_facts)


@router.get("/{org}/pledges", **listing(PLEDGES))
async def pledges(view: View, wanted: Annotated[PledgesWanted, Depends()], page: PageAsked) -> Response:
    """The pledges made, newest first, with how their items stand now."""
    return await answer(view, PLEDGES, wanted, page)


@router.get("/{org}/progress", **listing(PROGRESS))
async def progress(view: View, wanted: Annotated[ProgressWanted, Depends()], page: PageAsked) -> Response:
    """The reports on the items of pledges, newest record first (R-31)."""
    return await answer(view, PROGRESS, wanted, page)
