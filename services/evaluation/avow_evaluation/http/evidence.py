"""The evidence that counts in a phase (R-47, R-49)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.web.call import View
from avow.web.listing import PageAsked, answer, listing
from avow_evaluation.reading.counted import EVIDENCE, EvidenceWanted

router = APIRouter(tags=["evidence"])


@router.get("/{org}/evidence", **listing(EVIDENCE))
async def evidence(view: View, wanted: Annotated[EvidenceWanted, Depends()], page: PageAsked) -> Response:
    """What counts for each unit, or each member, in a phase, by subject and part of the score."""
    return await answer(view, EVIDENCE, wanted, page)
