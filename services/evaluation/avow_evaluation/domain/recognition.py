"""Public recognition, and the figures beside it: from ballots and a form to a result (R-41, R-45, R-51).

Counts and shares are exact fractions; only from the square root on there are 50 digits, half to even; each figure is
rounded once, to nine decimals. Promises: the same ballots in any order give the same result; nothing a class below its
minimum said enters any figure, so no subtraction brings it back (tests/unit/evaluation/test_recognition.py).
Limit: no arithmetic protects against a bloc of raters; that is for people to see and to judge.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from math import ceil
from typing import Literal, Protocol

from avow.contracts.review import ClassTally, ClassWeight, ReviewForm, ReviewRoundAnnounced, ReviewTallied, RowTally

FIFTY_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN)
NINE_DECIMALS = Decimal("1e-9")

Validity = Literal["valid", "low", "invalid"]


class Answers(Protocol):
    """What a tally reads of a ballot."""

    @property
    def rater_class(self) -> str: ...

    @property
    def rows(self) -> Mapping[str, str | None]: ...


@dataclass(frozen=True)
class Result:
    """What ballots on one subject come to, as a result says it; `heard` are those of the classes that count."""

    eligible: int
    cast: int
    turnout: Decimal | None
    validity: Validity
    classes: tuple[ClassTally, ...]
    rows: tuple[RowTally, ...]
    good_rate: Decimal | None
    recognition: Decimal | None
    heard: Mapping[str, Sequence[Answers]]


def result_of(form: ReviewForm, eligible: Mapping[str, int], ballots: Sequence[Answers]) -> Result:
    """The result for one subject; `eligible` by rater class, `ballots` all those cast on it."""
    entitled = sum(eligible.values())
    turnout = Fraction(len(ballots), entitled) if entitled else None
    validity = validity_of(form, turnout)
    cast = {key: [ballot for ballot in ballots if ballot.rater_class == key] for key in eligible}
    enough = {key for key in eligible if len(graded_of(cast[key])) >= minimum(form, eligible[key])}
    counted = [weight for weight in form.weights if weight.rater_class in enough and validity != "invalid"]
    total = sum((weight.weight for weight in counted), Decimal(0))
    classes = tuple(
        class_tally(form, weight, eligible[weight.rater_class], cast[weight.rater_class], total, weight in counted)
        for weight in form.weights
    )
    heard = {weight.rater_class: cast[weight.rater_class] for weight in counted}
    every = [ballot for of_class in heard.values() for ballot in of_class]
    return Result(
        eligible=entitled,
        cast=len(ballots),
        turnout=None if turnout is None else rounded(turnout),
        validity=validity,
        classes=classes,
        rows=row_tallies(form, every) if every else (),
        good_rate=good_rate(form, every),
        recognition=recognition(form, classes),
        heard=heard,
    )


def tally(
    announced: ReviewRoundAnnounced, unit_id: str, eligible: Mapping[str, int], ballots: Sequence[Answers]
) -> ReviewTallied:
    """The result for one unit, as it is published."""
    return tallied(announced, unit_id, result_of(announced.form, eligible, ballots))


def tallied(announced: ReviewRoundAnnounced, unit_id: str, result: Result) -> ReviewTallied:
    """A unit's result as it is published."""
    return ReviewTallied(
        round_id=announced.round_id,
        campaign_id=announced.campaign_id,
        unit_id=unit_id,
        eligible=result.eligible,
        cast=result.cast,
        turnout=result.turnout,
        validity=result.validity,
        classes=result.classes,
        rows=result.rows,
        good_rate=result.good_rate,
        recognition=result.recognition,
        rehearsal=announced.rehearsal,
    )


def class_tally(
    form: ReviewForm, weight: ClassWeight, eligible: int, ballots: Sequence[Answers], total: Decimal, counted: bool
) -> ClassTally:
    """One class's part; `total` is the weight of all classes that count."""
    graded = graded_of(ballots)
    support = support_of(form, graded)
    return ClassTally(
        rater_class=weight.rater_class,
        eligible=eligible,
        cast=len(ballots),
        minimum=minimum(form, eligible),
        counted=counted,
        weight=weight.weight,
        share=rounded(Fraction(weight.weight) / Fraction(total)) if counted and total else None,
        graded=len(graded) if counted else None,
        support=str(support) if counted else None,
        lower_bound=rounded(lower_bound(support, len(graded), form.z)) if counted else None,
    )


def validity_of(form: ReviewForm, turnout: Fraction | None) -> Validity:
    """Whether so many ballots make a result: `invalid` below one threshold, `low` below the other."""
    if turnout is None or turnout < Fraction(form.invalid_below):
        return "invalid"
    return "low" if turnout < Fraction(form.warn_below) else "valid"


def minimum(form: ReviewForm, eligible: int) -> int:
    """How many ballots with a grade a class needs to count: a fixed number or a share of its electorate, whichever is
    more."""
    return max(form.minimum_ballots, ceil(Fraction(form.minimum_share) * eligible))


def graded_of(ballots: Iterable[Answers]) -> list[Answers]:
    """The ballots with at least one graded row."""
    return [ballot for ballot in ballots if any(grade is not None for grade in ballot.rows.values())]


def support_of(form: ReviewForm, graded: Iterable[Answers]) -> Fraction:
    """The sum, over ballots with a grade, of each one's top grades as a share of its graded rows."""
    top = _top(form)
    shares: Counter[tuple[int, int]] = Counter()
    for ballot in graded:
        grades = [grade for grade in ballot.rows.values() if grade is not None]
        shares[sum(grade in top for grade in grades), len(grades)] += 1
    return sum((Fraction(tops * times, rows) for (tops, rows), times in shares.items()), Fraction(0))


def lower_bound(support: Fraction, graded: int, z: Decimal) -> Decimal:
    """Wilson's lower bound of the share `support / graded`, to 50 digits, never below 0:
    (p + z²/2n - z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n), E. B. Wilson 1927."""
    p, zz = support / graded, Fraction(z) ** 2
    with localcontext(FIFTY_DIGITS):
        root = to_fifty_digits(p * (1 - p) / graded + zz / (4 * graded**2)).sqrt()
        bound = (to_fifty_digits(p + zz / (2 * graded)) - z * root) / to_fifty_digits(1 + zz / graded)
    return max(Decimal(0), bound)


def recognition(form: ReviewForm, classes: Iterable[ClassTally]) -> Decimal | None:
    """100 times the lower bounds of the classes that count, weighted; None where none of them weighs anything.

    From what the result publishes alone, so that anybody can recompute it.
    """
    reached = weighed([(part, part.weight) for part in classes], form.z)
    return None if reached is None else rounded(reached)


class Supported(Protocol):
    """What a lower bound is computed from."""

    @property
    def support(self) -> str | None: ...

    @property
    def graded(self) -> int | None: ...


def weighed(classes: Iterable[tuple[Supported, Decimal]], z: Decimal) -> Decimal | None:
    """The same to 50 digits, each class with the weight given."""
    bounds = [
        (weight, lower_bound(Fraction(part.support), part.graded, z))
        for part, weight in classes
        if part.support is not None and part.graded
    ]
    with localcontext(FIFTY_DIGITS):
        total = sum((weight for weight, _ in bounds), Decimal(0))
        summed = sum((weight * bound for weight, bound in bounds), Decimal(0))
        return 100 * summed / total if total else None


def good_rate(form: ReviewForm, ballots: Iterable[Answers]) -> Decimal | None:
    """Top grades as a share of all grades given; None where none was given."""
    top = _top(form)
    grades = [grade for ballot in ballots for grade in ballot.rows.values() if grade is not None]
    return rounded(Fraction(sum(grade in top for grade in grades), len(grades))) if grades else None


def row_tallies(form: ReviewForm, ballots: Sequence[Answers]) -> tuple[RowTally, ...]:
    """How often each grade was given in each row, and how many abstained there."""
    found = []
    for row in form.rows:
        said = Counter(ballot.rows[row.key] for ballot in ballots)
        found.append(
            RowTally(key=row.key, grades={grade.key: said[grade.key] for grade in form.grades}, abstained=said[None])
        )
    return tuple(found)


def rounded(value: Fraction | Decimal) -> Decimal:
    """The figure with nine decimals, half to even."""
    if isinstance(value, Decimal):
        return value.quantize(NINE_DECIMALS, context=FIFTY_DIGITS)
    scaled = round(value / Fraction(NINE_DECIMALS))
    return Decimal(scaled).scaleb(-9, context=FIFTY_DIGITS)


def _top(form: ReviewForm) -> frozenset[str]:
    return frozenset(grade.key for grade in form.grades if grade.top)


def to_fifty_digits(value: Fraction) -> Decimal:
    """The fraction as a decimal of 50 digits."""
    return FIFTY_DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))
