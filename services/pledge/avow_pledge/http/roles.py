"""Roles (R-56)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity, Key
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.role import AppointRole, EndRole, role
from avow_pledge.facts import role_facts
from avow_pledge.reading.register import ROLES, RolesWanted

router = APIRouter(tags=["roles"], route_class=CommandRoute)


@router.post("/{org}/roles/{unit_id}/{role_key}/appoint", status_code=201, responses=COMMAND_RESPONSES)
async def appoint_role(unit_id: Identity, role_key: Key, body: AppointRole, call: Call) -> Accepted:
    """Give a role in a unit to a person."""
    return await call.execute(role, f"{unit_id}/{role_key}", body, role_facts)


@router.post("/{org}/roles/{unit_id}/{role_key}/end", status_code=201, responses=COMMAND_RESPONSES)
async def end_role(unit_id: Identity, role_key: Key, body: EndRole, call: Call) -> Accepted:
    """Take a role in a unit from a person."""
    return await call.execute(role, f"{unit_id}/{role_key}", body, role_facts)


@router.get("/{org}/roles", **listing(ROLES))
async def roles(view: View, wanted: Annotated[RolesWanted, Depends()], page: PageAsked) -> Response:
    """Who holds which role where at a moment, by unit, role and person."""
    return await answer(view, ROLES, wanted, page)
