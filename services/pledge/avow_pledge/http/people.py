"""People (R-06)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.register.people import PEOPLE, PeopleWanted
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.erasure import RequestErasure, WithdrawErasure, erasure
from avow_pledge.domain.person import ConfirmErasure, RegisterPerson, person
from avow_pledge.facts import erasure_facts, person_facts

router = APIRouter(tags=["people"], route_class=CommandRoute)


@router.post("/{org}/people", status_code=201, responses=COMMAND_RESPONSES)
async def register_person(body: RegisterPerson, call: Call) -> Accepted:
    """Enter a person; the name is sealed under a key of their own."""
    return await call.create(person, body, person_facts)


@router.post("/{org}/people/{person_id}/erasure/request", status_code=201, responses=COMMAND_RESPONSES)
async def request_erasure(person_id: Identity, body: RequestErasure, call: Call) -> Accepted:
    """Ask that a person be erased; nothing is erased until somebody else confirms it."""
    return await call.execute(erasure, person_id, body, erasure_facts)


@router.post("/{org}/people/{person_id}/erasure/withdraw", status_code=201, responses=COMMAND_RESPONSES)
async def withdraw_erasure(person_id: Identity, body: WithdrawErasure, call: Call) -> Accepted:
    """Take a request back that is not confirmed."""
    return await call.execute(erasure, person_id, body, erasure_facts)


@router.post("/{org}/people/{person_id}/erasure/confirm", status_code=201, responses=COMMAND_RESPONSES)
async def confirm_erasure(person_id: Identity, body: ConfirmErasure, call: Call) -> Accepted:
    """Erase a person for ever: the key of the name is destroyed, here at once and in the other service as it hears."""
    return await call.execute(person, person_id, body, person_facts)


@router.get("/{org}/people", **listing(PEOPLE))
async def people(view: View, wanted: Annotated[PeopleWanted, Depends()], page: PageAsked) -> Response:
    """The people, by identity, with their names."""
    return await answer(view, PEOPLE, wanted, page)
