"""The dedicated ledger (R-46)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.web.call import View
from avow.web.listing import PageAsked, answer, listing
from avow_evaluation.reading.ledger import LEDGER, LedgerWanted

router = APIRouter(tags=["ledger"])


@router.get("/{org}/ledger", **listing(LEDGER))
async def ledger(view: View, wanted: Annotated[LedgerWanted, Depends()], page: PageAsked) -> Response:
    """The ledger's rows in the order they were written, one for each subject and round."""
    return await answer(view, LEDGER, wanted, page)
