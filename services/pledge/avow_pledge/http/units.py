"""Units (R-06)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.unit import MergeUnit, RegisterUnit, unit
from avow_pledge.facts import unit_facts
from avow_pledge.reading.register import UNITS, UnitsWanted

router = APIRouter(tags=["units"], route_class=CommandRoute)


@router.post("/{org}/units", status_code=201, responses=COMMAND_RESPONSES)
async def register_unit(body: RegisterUnit, call: Call) -> Accepted:
    """Enter a unit below its parent."""
    return await call.create(unit, body, unit_facts)


@router.post("/{org}/units/{unit_id}/merge", status_code=201, responses=COMMAND_RESPONSES)
async def merge_unit(unit_id: Identity, body: MergeUnit, call: Call) -> Accepted:
    """Let a unit that nobody is left in go into another one."""
    return await call.execute(unit, unit_id, body, unit_facts)


@router.get("/{org}/units", **listing(UNITS))
async def units(view: View, wanted: Annotated[UnitsWanted, Depends()], page: PageAsked) -> Response:
    """The units, by identity."""
    return await answer(view, UNITS, wanted, page)
