"""How the ballots on one subject are spread: what the sensitivity of a rank is computed from (R-51).

Promises: of each class that counts it holds how many ballots had which mean, exactly; of a class left out nothing, and
of a single ballot no more than that. It never leaves the service.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated

from pydantic import StringConstraints

from avow.contracts.review import ReviewForm
from avow.contracts.values import Identity, Key
from avow.kernel.message import PrivateEvent, Value
from avow_evaluation.domain.recognition import Answers, graded_of

Mean = Annotated[str, StringConstraints(pattern=r"^[0-9]+(/[0-9]+)?$")]
"""The mean of the points of a ballot's graded rows, as a fraction: `85`, `277/3`."""


class ClassSpread(Value):
    """How many ballots of a class had which mean."""

    rater_class: Key
    ballots: dict[Mean, int]


class ReviewSpread(PrivateEvent, type="review.spread"):
    """How the ballots on a unit are spread in a round."""

    round_id: Identity
    unit_id: Identity
    classes: tuple[ClassSpread, ...]


def spread_of(form: ReviewForm, heard: Mapping[str, Sequence[Answers]]) -> tuple[ClassSpread, ...]:
    """The spread of the ballots of each class, from the lowest mean to the highest."""
    points = {grade.key: Fraction(grade.points) for grade in form.grades}
    found = []
    for rater_class, ballots in heard.items():
        means: Counter[Fraction] = Counter()
        for ballot in graded_of(ballots):
            given = [points[grade] for grade in ballot.rows.values() if grade is not None]
            means[sum(given, Fraction(0)) / len(given)] += 1
        found.append(ClassSpread(rater_class=rater_class, ballots={str(mean): means[mean] for mean in sorted(means)}))
    return tuple(found)
