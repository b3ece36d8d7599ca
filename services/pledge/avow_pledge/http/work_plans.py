"""Work plans (R-24…R-27)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.work_plan import AdoptPlan, DraftPlan, ReturnPlan, RevisePlan, plan_id, work_plan
from avow_pledge.facts import work_plan_facts
from avow_pledge.reading.work_plans import WORK_PLANS, PlansWanted

router = APIRouter(tags=["work plans"], route_class=CommandRoute)


@router.post("/{org}/work_plans", status_code=201, responses=COMMAND_RESPONSES)
async def draft_plan(body: DraftPlan, call: Call) -> Accepted:
    """Write a unit's plan for a phase, or write it anew before it is adopted: a unit has one a phase (R-24)."""
    identity = plan_id(body.campaign_id, body.unit_id, body.phase)
    return await call.execute(work_plan, identity, body, work_plan_facts)


@router.post("/{org}/work_plans/{plan_id}/adopt", status_code=201, responses=COMMAND_RESPONSES)
async def adopt_plan(plan_id: Identity, body: AdoptPlan, call: Call) -> Accepted:
    """Put on record that the unit's committee adopted the plan."""
    return await call.execute(work_plan, plan_id, body, work_plan_facts)


@router.post("/{org}/work_plans/{plan_id}/return", status_code=201, responses=COMMAND_RESPONSES)
async def return_plan(plan_id: Identity, body: ReturnPlan, call: Call) -> Accepted:
    """Give a drafted plan back with the reason."""
    return await call.execute(work_plan, plan_id, body, work_plan_facts)


@router.post("/{org}/work_plans/{plan_id}/revise", status_code=201, responses=COMMAND_RESPONSES)
async def revise_plan(plan_id: Identity, body: RevisePlan, call: Call) -> Accepted:
    """Write an adopted plan anew with the reason; until it is adopted the one before holds."""
    return await call.execute(work_plan, plan_id, body, work_plan_facts)


@router.get("/{org}/work_plans", **listing(WORK_PLANS))
async def work_plans(view: View, wanted: Annotated[PlansWanted, Depends()], page: PageAsked) -> Response:
    """The plans as they were last written."""
    return await answer(view, WORK_PLANS, wanted, page)
