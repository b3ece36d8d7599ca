"""Memberships (R-06)."""

from typing import Annotated

from fastapi import APIRouter, Query

from avow.contracts.values import Identity, Instant
from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterIdentity, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.membership import EnrolMember, LeaveUnit, TransferMember, membership
from avow_pledge.facts import membership_facts
from avow_pledge.reading.register import MembershipEntry, membership_entries

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


@router.get("/{org}/memberships", responses=READ_RESPONSES)
async def memberships(
    view: View,
    unit_id: Annotated[Identity, Query()],
    at: Annotated[Instant | None, Query(description="The moment asked about; now, where it is left out.")] = None,
    after: AfterIdentity = None,
    limit: Limit = 100,
) -> Listing[MembershipEntry]:
    """The members of a unit at a moment, by identity."""
    return await view.list(
        Register.name,
        lambda connection: membership_entries(connection, view.org, unit_id, at, after, limit),
        next_page(limit, lambda entry: entry.person_id),
    )
