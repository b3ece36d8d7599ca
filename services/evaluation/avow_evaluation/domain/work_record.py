"""The work record: what a subject did, as a share of what it owed, part by part (R-49; the parts are the template's).

obligations = (met + ½ · met late) ÷ (closed - waived)       fulfilment = verified ÷ (due - excused)
comments = mean grade ÷ 100     inspections = 1 - overdue ÷ findings     study = attended ÷ owed

Promises: everything is an exact fraction, each figure is rounded once, to nine decimals; a part with nothing to count
is left out, what it weighs goes to the others in proportion, and it is reported as left out
(tests/unit/evaluation/test_work_record.py).
Limit: no event speaks of inspections or of attendance yet, so those two parts have nothing to count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Annotated

from pydantic import StringConstraints

from avow.contracts.obligation import Outcome
from avow.contracts.scoring import PartWeight, ScoredPart
from avow.contracts.values import Exact, Identity
from avow.kernel.message import Value
from avow_evaluation.domain.recognition import rounded

Ratio = Annotated[str, StringConstraints(pattern=r"^[0-9]+(/[0-9]+)?$")]
"""An exact number as a fraction: `21`, `43/2`."""


@dataclass(frozen=True)
class Duty:
    """An obligation that is closed or was waived, and the events that say so."""

    outcome: Outcome | None
    waived: bool
    events: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """An item of a pledge with the day it is due, and the events about it; `excused` it does not count."""

    due_on: date
    verified: bool
    excused: bool
    events: tuple[str, ...]


@dataclass(frozen=True)
class Graded:
    """A comment with a grade out of 100, and its event."""

    grade: int
    event: str


@dataclass(frozen=True)
class Counted:
    """What a part counts, and the events it was counted from."""

    numerator: Fraction = Fraction(0)
    denominator: int = 0
    evidence: tuple[str, ...] = ()


class PartScore(Value):
    """A part of the work record: numerator ÷ denominator, and what it weighs.

    `in_force` is its weight together with its share of what the parts left out weigh; it and `value`, a share of 1, are
    null where the part itself is left out. `evidence` are the ids of the events it was counted from.
    """

    part: ScoredPart
    weight: Exact
    in_force: Exact | None
    numerator: Ratio
    denominator: int
    value: Exact | None
    evidence: tuple[Identity, ...]


@dataclass(frozen=True)
class WorkRecord:
    """The parts, and the whole as an exact share of 1: None where every part is left out."""

    parts: tuple[PartScore, ...]
    share: Fraction | None


def obligations(duties: Iterable[Duty]) -> Counted:
    """Half for what was met late, nothing for what was missed; what was waived does not count."""
    known = list(duties)
    closed = [duty.outcome for duty in known if not duty.waived]
    met = Fraction(closed.count("met")) + Fraction(closed.count("met_late"), 2)
    return Counted(met, len(closed), _ids(event for duty in known for event in duty.events))


def fulfilment(items: Iterable[Item], until: date) -> Counted:
    """Of the items due by a day, those that were verified; one withdrawn for a cause nobody could help is not due."""
    due = [item for item in items if item.due_on <= until]
    counted = [item for item in due if not item.excused]
    verified = sum(item.verified for item in counted)
    return Counted(Fraction(verified), len(counted), _ids(event for item in due for event in item.events))


def comments(graded: Iterable[Graded]) -> Counted:
    """The grades as shares of 100, to be divided by how many there are."""
    known = list(graded)
    total = sum((Fraction(comment.grade, 100) for comment in known), Fraction(0))
    return Counted(total, len(known), _ids(comment.event for comment in known))


def work_record(weights: Sequence[PartWeight], counted: Mapping[ScoredPart, Counted]) -> WorkRecord:
    """The parts that the rules weigh, and the whole."""
    counts = [(entry, counted.get(entry.part, Counted())) for entry in weights]
    every = sum((Fraction(entry.weight) for entry, _ in counts), Fraction(0))
    kept = sum((Fraction(entry.weight) for entry, count in counts if count.denominator), Fraction(0))
    shares = (Fraction(entry.weight) * c.numerator / c.denominator for entry, c in counts if c.denominator)
    parts = tuple(_part(entry, count, every / kept if kept else None) for entry, count in counts)
    return WorkRecord(parts, sum(shares, Fraction(0)) / kept if kept else None)


def _part(entry: PartWeight, count: Counted, scale: Fraction | None) -> PartScore:
    kept = bool(count.denominator)
    return PartScore(
        part=entry.part,
        weight=entry.weight,
        in_force=rounded(Fraction(entry.weight) * scale) if kept and scale is not None else None,
        numerator=str(count.numerator),
        denominator=count.denominator,
        value=rounded(count.numerator / count.denominator) if kept else None,
        evidence=count.evidence,
    )


def _ids(events: Iterable[str]) -> tuple[str, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(events))
