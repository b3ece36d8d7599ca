"""How many ballots have come in: the running count of a round, in a stream of its own (R-41).

Promises: a part is reported only when its count changed, and while a round is open only as it stood at the full hour,
so no report follows from a single ballot. Its stream is its own because ballots expect the round's to stand still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from avow.contracts.review import ReviewSubmitted
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command
from avow.kernel.refusal import Refusal
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.review_round import ReviewRound, Status


class ReportReviews(Command):
    """Say how many ballots have come in."""


@dataclass(frozen=True)
class ReviewCount:
    """What the next decision needs: what was reported last of each part."""

    reported: Mapping[Part, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CountFacts(Facts):
    """The round as it stands, and the ballots to report of each part."""

    round_id: str
    round: ReviewRound
    counts: Mapping[Part, int]


def decide(command: ReportReviews, count: ReviewCount, facts: CountFacts) -> list[ReviewSubmitted]:
    if facts.round.announced is None:
        raise Refusal("round.unknown", "round_id")
    if facts.round.status not in (Status.OPEN, Status.CLOSED, Status.TALLIED):
        raise Refusal("round.not_open", "round_id")
    return [
        ReviewSubmitted(round_id=facts.round_id, unit_id=unit_id, rater_class=rater_class, count=now)
        for (unit_id, rater_class), now in sorted(facts.counts.items())
        if now != count.reported.get((unit_id, rater_class), 0)
    ]


def evolve(count: ReviewCount, event: ReviewSubmitted) -> ReviewCount:
    return ReviewCount({**count.reported, (event.unit_id, event.rater_class): event.count})


review_count: Decider[ReportReviews, ReviewCount, CountFacts, ReviewSubmitted] = Decider(
    stream="review_count",
    initial=ReviewCount(),
    decide=decide,
    evolve=evolve,
    events=(ReviewSubmitted,),
)


def full_hour(moment: datetime) -> datetime:
    """The full hour a moment lies in: the only time a ballot has."""
    return moment.replace(minute=0, second=0, microsecond=0)
