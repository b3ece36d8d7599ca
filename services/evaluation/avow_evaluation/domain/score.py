"""A score: the work record and recognition, joined by a version of the rules (R-49, R-51).

total = Σ in-force weight · part + weight of recognition · recognition ÷ 100, out of 100

Promises: pure arithmetic over what was counted; the work record is an exact fraction, recognition has 50 digits, and
every figure is rounded once, to nine decimals, half to even. Where either side is missing there is no total, and why is
said. A floor is compared with the figure as it is shown (tests/unit/evaluation/test_score.py, test_oracle.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal

from avow.contracts.scoring import ScoredPart, ScoringRulesPublished
from avow_evaluation.domain.period_recognition import Recognised, RecognitionScore, Reviewed, recognised
from avow_evaluation.domain.recognition import FIFTY_DIGITS, rounded, to_fifty_digits
from avow_evaluation.domain.scoring_rules import sum_of
from avow_evaluation.domain.sensitivity import Alternative, ClassMeans, Pool, alternatives, class_means
from avow_evaluation.domain.work_record import Counted, PartScore, work_record

Missing = Literal["no_work_record", "no_ledger_row", "withheld"]
"""Why there is no total: nothing to count; no result in the period; results, and every one of them withheld."""
Side = Literal["work_record", "recognition"]


@dataclass(frozen=True)
class Score:
    """Every figure of a subject, as an assessment says it."""

    parts: tuple[PartScore, ...]
    work_record: Decimal | None
    recognition: RecognitionScore | None
    total: Decimal | None
    missing: tuple[Missing, ...]
    below_floor: tuple[Side, ...]
    means: tuple[ClassMeans, ...]
    alternatives: tuple[Alternative, ...]


def score(
    rules: ScoringRulesPublished,
    counted: Mapping[ScoredPart, Counted],
    results: Sequence[Reviewed],
    pools: Mapping[str, Pool],
) -> Score:
    """The figures; `pools` are the ballots of each class on the subject's whole category."""
    record = work_record(rules.work_record, counted)
    heard = recognised(rules.recognition, results)
    weight = sum_of(rules.recognition)
    earned = None if record.share is None else record.share * Fraction(sum_of(rules.work_record))
    work = None if record.share is None else rounded(100 * record.share)
    reached = None if heard is None else heard.score.score
    means = means_of(heard, pools)
    weights = {entry.rater_class: Fraction(entry.weight) for entry in rules.recognition}
    floors: tuple[tuple[Side, Decimal | None, Decimal], ...] = (
        ("work_record", work, rules.work_record_floor),
        ("recognition", reached, rules.recognition_floor),
    )
    return Score(
        parts=record.parts,
        work_record=work,
        recognition=None if heard is None else heard.score,
        total=total(earned, None if heard is None else heard.exact, weight),
        missing=_missing(work, heard, results),
        below_floor=tuple(side for side, figure, floor in floors if figure is not None and figure < floor),
        means=means,
        alternatives=alternatives(means, weights, earned, Fraction(weight)),
    )


def total(earned: Fraction | None, recognition: Decimal | None, weight: Decimal) -> Decimal | None:
    """The points of the work record and those of recognition, rounded once."""
    if earned is None or recognition is None:
        return None
    with localcontext(FIFTY_DIGITS):
        return rounded(to_fifty_digits(earned) + weight * recognition / 100)


def means_of(heard: Recognised | None, pools: Mapping[str, Pool]) -> tuple[ClassMeans, ...]:
    """The other ways to measure what was heard, by class; nothing where the spread of its ballots is not known."""
    if heard is None:
        return ()
    scored = {entry.rater_class for entry in heard.score.classes if entry.graded}
    spreads = [spread for spread in heard.result.spread if spread.rater_class in scored]
    return tuple(class_means(spread, pools[spread.rater_class]) for spread in spreads)


def _missing(work: Decimal | None, heard: Recognised | None, results: Sequence[Reviewed]) -> tuple[Missing, ...]:
    found: list[Missing] = [] if work is not None else ["no_work_record"]
    if heard is None:
        found.append("withheld" if results else "no_ledger_row")
    return tuple(found)
