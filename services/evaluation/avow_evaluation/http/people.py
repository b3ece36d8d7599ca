"""People, as far as the pledge service has made them known (R-06)."""

from fastapi import APIRouter

from avow.register.people import PersonEntry, person_entries
from avow.register.projection import Register
from avow.web.call import Listing, View
from avow.web.paging import AfterIdentity, Limit, next_page
from avow.web.responses import READ_RESPONSES

router = APIRouter(tags=["people"])


@router.get("/{org}/people", responses=READ_RESPONSES)
async def people(view: View, after: AfterIdentity = None, limit: Limit = 100) -> Listing[PersonEntry]:
    """The people, by identity, with their names where the keys have come."""
    return await view.list(
        Register.name,
        lambda connection: person_entries(connection, view.org, after, limit),
        next_page(limit, lambda entry: entry.person_id),
    )
