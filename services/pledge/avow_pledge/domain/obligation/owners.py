"""Who owes an obligation: the units of its kinds, or every member, through the whole of a period (R-33, §1.11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from avow.contracts.obligation import Owner
from avow_pledge.domain.obligation.calendar import Occasion

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The days a unit stood, or a person was a member of it: the first, and the first no longer, if there is one."""

    unit_id: str
    first: date
    behind: date | None


@dataclass(frozen=True)
class Owing:
    """Somebody who may owe, and the spans of it in their order."""

    owner: Owner
    spans: tuple[Span, ...]


def unit_of(spans: Sequence[Span], occasion: Occasion) -> str | None:
    """The unit an occasion counts for, that of its last day; None where the spans do not hold the whole period.

    Whoever moves from one unit into another on the same day owes all the same.
    """
    day = occasion.starts_on
    for span in spans:
        if span.first <= day and (span.behind is None or day < span.behind):
            if span.behind is None or occasion.ends_on < span.behind:
                return span.unit_id
            day = span.behind
    return None
