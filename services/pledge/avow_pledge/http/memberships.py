"""Memberships (R-06)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.membership import EnrolMember, LeaveUnit, TransferMember, membership
from avow_pledge.facts import membership_facts
from avow_pledge.reading.register import MEMBERSHIPS, MembershipsWanted

router = APIRouter(tags=["memberships"], route_class=CommandRoute)


@router.post("/{org}/memberships/{person_id}/enrol", status_code=201, responses=COMMAND_RESPONSES)
async def enrol_member(person_id: Identity, body: EnrolMember, call: Call) -> Accepted:
    """Make a person a member of a unit."""
    return await call.execute(membership, person_id, body, membership_facts)


@router.post("/{org}/memberships/{person_id}/leave", status_code=201, responses=COMMAND_RESPONSES)
async def leave_unit(person_id: Identity, body: LeaveUnit, call: Call) -> Accepted:
    """End a person's membership of a unit."""
    return await call.execute(membership, person_id, body, membership_facts)


@router.post("/{org}/memberships/{person_id}/transfer", status_code=201, responses=COMMAND_RESPONSES)
async def transfer_member(person_id: Identity, body: TransferMember, call: Call) -> Accepted:
    """End a person's membership of one unit and make them a member of another at the same moment."""
    return await call.execute(membership, person_id, body, membership_facts)


@router.get("/{org}/memberships", **listing(MEMBERSHIPS))
async def memberships(view: View, wanted: Annotated[MembershipsWanted, Depends()], page: PageAsked) -> Response:
    """The memberships there are at a moment, by person."""
    return await answer(view, MEMBERSHIPS, wanted, page)
