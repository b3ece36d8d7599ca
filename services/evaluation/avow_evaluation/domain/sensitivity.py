"""How much a rank depends on the way recognition is measured: four other ways, never the official one (R-51).

Of each class, over its ballots' means of points: the mean; the mean shrunk towards the category's,
(n·x̄ + 20·μ) ÷ (n + 20); the mean without the lowest and the highest 5 % (rounded down at either end); and the median.
They are weighed as recognition is. μ is the mean of that class's ballots on all subjects of the category in the rounds
that count for them.
Promises: exact fractions throughout (tests/unit/evaluation/test_sensitivity.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from avow.contracts.values import Exact, Key
from avow.kernel.message import Value
from avow_evaluation.domain.recognition import rounded
from avow_evaluation.domain.spread import ClassSpread
from avow_evaluation.domain.work_record import Ratio

Method = Literal["mean", "shrunk", "trimmed", "median"]
METHODS: tuple[Method, ...] = get_args(Method)
SHRINKAGE = 20
TRIMMED_AWAY = Fraction(5, 100)


class Alternative(Value):
    """What recognition and the total would be if it were measured another way, each out of 100."""

    method: Method
    recognition: Exact
    total: Exact


class ClassMeans(Value):
    """A class's ballots under the four methods, in points out of 100, as fractions."""

    rater_class: Key
    ballots: int
    mean: Ratio
    shrunk: Ratio
    trimmed: Ratio
    median: Ratio


@dataclass(frozen=True)
class Pool:
    """Ballots taken together: how many, and the sum of their means."""

    ballots: int = 0
    points: Fraction = Fraction(0)

    def with_(self, spread: ClassSpread) -> "Pool":
        """With those of one spread more."""
        means = [(Fraction(mean), times) for mean, times in spread.ballots.items()]
        points = sum((mean * times for mean, times in means), Fraction(0))
        return Pool(self.ballots + sum(times for _, times in means), self.points + points)


def pools_of(spreads: Iterable[ClassSpread]) -> dict[str, Pool]:
    """The ballots of each class over all these spreads."""
    found: dict[str, Pool] = {}
    for spread in spreads:
        found[spread.rater_class] = found.get(spread.rater_class, Pool()).with_(spread)
    return found


def class_means(spread: ClassSpread, category: Pool) -> ClassMeans:
    """The four figures of a class; `category` are its ballots on the whole category, these among them."""
    own = Pool().with_(spread)
    every = [Fraction(mean) for mean, times in spread.ballots.items() for _ in range(times)]
    every.sort()
    cut = int(len(every) * TRIMMED_AWAY)
    kept = every[cut : len(every) - cut]
    half = len(every) // 2
    middle = every[half : half + 1] if len(every) % 2 else every[half - 1 : half + 1]
    shrunk = (own.points + SHRINKAGE * category.points / category.ballots) / (own.ballots + SHRINKAGE)
    return ClassMeans(
        rater_class=spread.rater_class,
        ballots=own.ballots,
        mean=str(own.points / own.ballots),
        shrunk=str(shrunk),
        trimmed=str(_mean(kept)),
        median=str(_mean(middle)),
    )


def alternatives(
    means: Sequence[ClassMeans], weights: Mapping[str, Fraction], earned: Fraction | None, weight: Fraction
) -> tuple[Alternative, ...]:
    """What each method gives: `weights` of the classes, `earned` the points of the work record, `weight` that of
    recognition; nothing where either side is missing."""
    total = sum((weights.get(entry.rater_class, Fraction(0)) for entry in means), Fraction(0))
    if not total or earned is None:
        return ()
    found = []
    for method in METHODS:
        said = sum((weights.get(e.rater_class, Fraction(0)) * Fraction(getattr(e, method)) for e in means), Fraction(0))
        reached = said / total
        whole = rounded(earned + weight * reached / 100)
        found.append(Alternative(method=method, recognition=rounded(reached), total=whole))
    return tuple(found)


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)
