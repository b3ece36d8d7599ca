"""What everybody writes and reads: one note of about 374 bytes, and the fold that sums it up."""

from typing import Any

from avow.kernel.message import PublicEvent

UNIT = "00000000-0000-4000-8000-000000000001"
TEXT = "明诺：件件有据。" * 3 + "What was promised, by whom, until when, and how it stands today. " * 2
ORG = "bench"


class Noted(PublicEvent, type="bench.noted"):
    """A note on one item."""

    item_id: str
    unit_id: str
    title: str
    text: str
    amount: int
    target: int


def fields(caller: str, n: int) -> dict[str, Any]:
    """The n-th note of a caller, as keyword arguments."""
    return {
        "item_id": f"{caller}-{n}",
        "unit_id": UNIT,
        "title": "Answer within a day",
        "text": TEXT,
        "amount": n % 100,
        "target": 100,
    }


def summed(totals: dict[str, int], unit_id: str, amount: int) -> None:
    """The fold: amounts by unit."""
    totals[unit_id] = totals.get(unit_id, 0) + amount
