"""Public recognition computed another way, with whole numbers and fractions alone: the oracle of the tests.

Wilson's bound is taken as the smaller root of (n + z²)w² - (2np + z²)w + np² = 0, and the root of its discriminant by
`math.isqrt` to 60 decimals.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isqrt

from avow.contracts.review import ReviewForm
from avow_evaluation.domain.ballot import BallotCast

SCALE = 10**60


def root(value: Fraction) -> Fraction:
    """The square root, cut at 60 decimals."""
    return Fraction(isqrt(value.numerator * value.denominator * SCALE**2), value.denominator * SCALE)


def bound(shares: Sequence[Fraction], z: Fraction) -> Fraction:
    """Wilson's lower bound of the mean of `shares`."""
    n, p = len(shares), sum(shares, Fraction(0)) / len(shares)
    a, b, c = n + z * z, 2 * n * p + z * z, n * p * p
    return (b - root(b * b - 4 * a * c)) / (2 * a)


def nine(value: Fraction) -> Decimal:
    """The nearest number of nine decimals, ties to the even one."""
    whole, rest = divmod(value * 10**9, 1)
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1)
    return Decimal(int(whole) + up) / 10**9


def shares_of(form: ReviewForm, ballots: Sequence[BallotCast], rater_class: str) -> list[Fraction]:
    """Each graded ballot's top grades as a share of its graded rows."""
    top = [grade.key for grade in form.grades if grade.top]
    shares = []
    for ballot in ballots:
        grades = [grade for grade in ballot.rows.values() if grade is not None]
        if ballot.rater_class == rater_class and grades:
            shares.append(Fraction(len([grade for grade in grades if grade in top]), len(grades)))
    return shares


def recognition(form: ReviewForm, eligible: Mapping[str, int], ballots: Sequence[BallotCast]) -> Decimal | None:
    """What `review.tallied` should say."""
    everybody = sum(eligible.values())
    if everybody == 0 or Fraction(len(ballots), everybody) < Fraction(form.invalid_below):
        return None
    total = weights = Fraction(0)
    for entry in form.weights:
        shares = shares_of(form, ballots, entry.rater_class)
        enough = len(shares) >= form.minimum_ballots
        if enough and len(shares) >= Fraction(form.minimum_share) * eligible[entry.rater_class]:
            weights += Fraction(entry.weight)
            total += Fraction(entry.weight) * bound(shares, Fraction(form.z))
    return None if weights == 0 else nine(100 * total / weights)
