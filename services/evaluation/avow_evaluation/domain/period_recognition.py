"""What people said of a subject in a period: the recognition that is scored (R-41, R-51).

Promises: it is that of the last result of the subject tallied within the period's days that is valid or low and in
which at least one class that the rules weigh counts; results that are withheld are passed over, a rehearsal is none at
all. The classes weigh what the rules say, not what the form said; one that does not count gives its weight to the
others in proportion (tests/unit/evaluation/test_score.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from avow.contracts.review import ClassTally, ClassWeight
from avow.contracts.values import Exact, Identity, Key
from avow.kernel.message import Value
from avow_evaluation.domain.recognition import Validity, rounded, weighed
from avow_evaluation.domain.spread import ClassSpread
from avow_evaluation.domain.work_record import Ratio


@dataclass(frozen=True)
class Reviewed:
    """A result on a subject: `event` tallied it, `spread_by` says how its ballots are spread, where that is known."""

    round_id: str
    event: str
    tallied_at: datetime
    position: int
    validity: Validity
    classes: tuple[ClassTally, ...]
    z: Decimal
    spread: tuple[ClassSpread, ...] = ()
    spread_by: str | None = None


class ClassScore(Value):
    """A class's part in the recognition scored; all but its weight is null where it is left out.

    `in_force` is its weight together with its share of what the classes left out weigh.
    """

    rater_class: Key
    weight: Exact
    in_force: Exact | None
    graded: int | None
    support: Ratio | None
    lower_bound: Exact | None


class RecognitionScore(Value):
    """The recognition scored, out of 100, and the result it comes from; `evidence` are the ids of its events."""

    round_id: Identity
    z: Exact
    classes: tuple[ClassScore, ...]
    score: Exact
    evidence: tuple[Identity, ...]


@dataclass(frozen=True)
class Recognised:
    """The same with the figure to 50 digits and the result."""

    score: RecognitionScore
    exact: Decimal
    result: Reviewed


def recognised(weights: Sequence[ClassWeight], results: Iterable[Reviewed]) -> Recognised | None:
    """The recognition of the last result that gives one; None where none does."""
    for result in sorted(results, key=lambda each: (each.tallied_at, each.position), reverse=True):
        by_class = {tally.rater_class: tally for tally in result.classes if tally.counted and tally.graded}
        heard = [(by_class[entry.rater_class], entry.weight) for entry in weights if entry.rater_class in by_class]
        exact = weighed(heard, result.z) if result.validity != "invalid" else None
        if exact is not None:
            score = RecognitionScore(
                round_id=result.round_id,
                z=result.z,
                classes=_classes(weights, by_class),
                score=rounded(exact),
                evidence=tuple(event for event in (result.event, result.spread_by) if event is not None),
            )
            return Recognised(score, exact, result)
    return None


def _classes(weights: Sequence[ClassWeight], heard: dict[str, ClassTally]) -> tuple[ClassScore, ...]:
    every = sum((Fraction(entry.weight) for entry in weights), Fraction(0))
    kept = sum((Fraction(entry.weight) for entry in weights if entry.rater_class in heard), Fraction(0))
    found = []
    for entry in weights:
        tally = heard.get(entry.rater_class)
        found.append(
            ClassScore(
                rater_class=entry.rater_class,
                weight=entry.weight,
                in_force=None if tally is None else rounded(Fraction(entry.weight) * every / kept),
                graded=None if tally is None else tally.graded,
                support=None if tally is None else tally.support,
                lower_bound=None if tally is None else tally.lower_bound,
            )
        )
    return tuple(found)
