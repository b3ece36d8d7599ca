"""Units (R-06)."""

from fastapi import APIRouter

from avow.contracts.values import Identity
from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterIdentity, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.unit import MergeUnit, RegisterUnit, unit
from avow_pledge.facts import unit_facts
from avow_pledge.reading.register import UnitEntry, unit_entries

router = APIRouter(tags=["units"], route_class=CommandRoute)


@router.post("/{org}/units", status_code=201, responses=COMMAND_RESPONSES)
async def register_unit(body: RegisterUnit, call: Call) -> Accepted:
    """Enter a unit below its parent."""
    return await call.create(unit, body, unit_facts)


@router.post("/{org}/units/{unit_id}/merge", status_code=201, responses=COMMAND_RESPONSES)
async def merge_unit(unit_id: Identity, body: MergeUnit, call: Call) -> Accepted:
    """Let a unit that nobody is left in go into another one."""
    return await call.execute(unit, unit_id, body, unit_facts)


@router.get("/{org}/units", responses=READ_RESPONSES)
async def units(view: View, after: AfterIdentity = None, limit: Limit = 100) -> Listing[UnitEntry]:
    """The units, by identity."""
    return await view.list(
        Register.name,
        lambda connection: unit_entries(connection, view.org, after, limit),
        next_page(limit, lambda entry: entry.unit_id),
    )
