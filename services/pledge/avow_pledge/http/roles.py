"""Roles (R-56)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from avow.contracts.values import Identity, Instant, Key
from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.role import AppointRole, EndRole, role
from avow_pledge.facts import role_facts
from avow_pledge.reading.register import RoleEntry, role_entries

router = APIRouter(tags=["roles"], route_class=CommandRoute)
AfterRole = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}/[a-z][a-z0-9_.-]{0,63}/[0-9a-f-]{36}$")] | None,
    Query(description="`next` of the page before."),
]


@router.post("/{org}/roles/{unit_id}/{role_key}/appoint", status_code=201, responses=COMMAND_RESPONSES)
async def appoint_role(unit_id: Identity, role_key: Key, body: AppointRole, call: Call) -> Accepted:
    """Give a role in a unit to a person."""
    return await call.execute(role, f"{unit_id}/{role_key}", body, role_facts)


@router.post("/{org}/roles/{unit_id}/{role_key}/end", status_code=201, responses=COMMAND_RESPONSES)
async def end_role(unit_id: Identity, role_key: Key, body: EndRole, call: Call) -> Accepted:
    """Take a role in a unit from a person."""
    return await call.execute(role, f"{unit_id}/{role_key}", body, role_facts)


@router.get("/{org}/roles", responses=READ_RESPONSES)
async def roles(
    view: View,
    at: Annotated[Instant | None, Query(description="The moment asked about; now, where it is left out.")] = None,
    after: AfterRole = None,
    limit: Limit = 100,
) -> Listing[RoleEntry]:
    """Who holds which role where at a moment, by unit, role and person."""
    unit_id, role_key, person_id = after.split("/") if after else ("", "", "")
    return await view.list(
        Register.name,
        lambda connection: role_entries(connection, view.org, at, (unit_id, role_key, person_id), limit),
        next_page(limit, lambda entry: f"{entry.unit_id}/{entry.role}/{entry.person_id}"),
    )
