"""People (R-06)."""

from fastapi import APIRouter

from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.paging import AfterIdentity, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.person import RegisterPerson, person
from avow_pledge.facts import person_facts
from avow_pledge.reading.register import PersonEntry, person_entries

router = APIRouter(tags=["people"])


@router.post("/{org}/people", status_code=201, responses=COMMAND_RESPONSES)
async def register_person(body: RegisterPerson, call: Call) -> Accepted:
    """Enter a person; the name is sealed under a key of their own."""
    return await call.execute(person, call.new_id(), body, person_facts)


@router.get("/{org}/people", responses=READ_RESPONSES)
async def people(view: View, after: AfterIdentity = None, limit: Limit = 100) -> Listing[PersonEntry]:
    """The people, by identity, with their names."""
    return await view.list(
        Register.name,
        lambda connection: person_entries(connection, view.org, after, limit),
        next_page(limit, lambda entry: entry.person_id),
    )
