"""People, as far as the pledge service has made them known (R-06)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.register.people import PEOPLE, PeopleWanted
from avow.web.call import View
from avow.web.listing import PageAsked, answer, listing

router = APIRouter(tags=["people"])


@router.get("/{org}/people", **listing(PEOPLE))
async def people(view: View, wanted: Annotated[PeopleWanted, Depends()], page: PageAsked) -> Response:
    """The people, by identity, with their names where the keys have come."""
    return await answer(view, PEOPLE, wanted, page)
