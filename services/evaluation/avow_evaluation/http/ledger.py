"""The dedicated ledger (R-46)."""

from fastapi import APIRouter

from avow.contracts.values import Identity, Key
from avow.programme.vocabulary import Subject
from avow.register.projection import Register
from avow.web.call import Listing, View
from avow.web.paging import AfterPosition, Limit, next_page
from avow.web.responses import READ_RESPONSES
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger
from avow_evaluation.reading.ledger import LedgerEntry, ledger_entries

router = APIRouter(tags=["ledger"])


@router.get("/{org}/ledger", responses=READ_RESPONSES)
async def ledger(
    view: View,
    subject: Subject | None = None,
    round_id: Identity | None = None,
    unit_id: Identity | None = None,
    person_id: Identity | None = None,
    category: Key | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[LedgerEntry]:
    """The ledger's rows in the order they were written, one for each subject and round."""
    wanted = {
        "subject": subject,
        "round_id": round_id,
        "unit_id": unit_id,
        "person_id": person_id,
        "category": category,
    }
    return await view.list(
        (DedicatedLedger.name, Register.name),
        lambda connection: ledger_entries(connection, view.org, wanted, after, limit),
        next_page(limit, lambda entry: entry.position),
    )
