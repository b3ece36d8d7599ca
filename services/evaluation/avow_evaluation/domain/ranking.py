"""The ranking of a batch: candidates for an award in the order of their totals, with the reason for each place (R-51).

Promises: every place names the assessment it rests on; a tie is broken by what the programme says, in its order, and
never by chance or by name; what cannot be broken is a shared place and says so, and the committee votes. Nobody is
ranked who is probationary, has no result in the ledger, only withheld ones, nothing to count, or a figure below a
floor: they are listed with the reason (tests/unit/evaluation/test_ranking.py).
Limit: the ranking informs; who is commended the committee decides. Being a leader is known by the leading group's roles
alone. A rank under another method is given among those ranked for whom that method gives a total.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Literal

from avow.contracts.values import Exact, Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent, Value
from avow.kernel.refusal import require
from avow.programme.commendation import TieBreak
from avow.programme.vocabulary import Subject
from avow_evaluation.domain.assessment import AssessmentCalculated
from avow_evaluation.domain.sensitivity import METHODS

Reason = Literal[
    "total", "recognition", "fulfilment", "frontline", "shared",
    "probationary", "no_ledger_row", "withheld", "no_work_record", "below_floor",
]  # fmt: skip
"""What decided a place: the total alone, the tie-break that parted it from its neighbours, nothing (`shared`); or why
there is none."""


class RankCandidates(Command):
    """Rank the candidates for an award in a batch, from their last assessments."""

    campaign_id: Identity
    phase: Key
    award: Key


class Place(Value):
    """A candidate's place, null where they are not ranked, and the assessment it rests on.

    `best_rank` and `worst_rank` bound the ranks under all five ways to measure recognition; `frontline` says whether a
    member holds no role in the leading group, null for a unit.
    """

    rank: int | None
    reason: Reason
    subject_id: Identity
    unit_id: Identity
    assessment_id: Identity
    assessment_event: Identity
    total: Exact | None
    recognition: Exact | None
    fulfilment: Exact | None
    frontline: bool | None
    best_rank: int | None
    worst_rank: int | None


class CandidatesRanked(PrivateEvent, type="candidates.ranked"):
    """The candidates of a category, first the ranked ones in order; a null category holds those of every category."""

    campaign_id: Identity
    phase: Key
    award: Key
    subject: Subject
    category: Key | None
    revision: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Candidate:
    """An assessment, the event it stands in, and whether a member is in the front line."""

    assessment: AssessmentCalculated
    event: str
    frontline: bool | None


@dataclass(frozen=True)
class Ranking:
    """The last ranking of each category."""

    latest: Mapping[str | None, CandidatesRanked] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RankingFacts(Facts):
    """What the award is for, whether each category is ranked apart, how ties are broken, and the candidates."""

    subject: Subject
    by_category: bool
    tie_breaks: Sequence[TieBreak]
    candidates: Sequence[Candidate]


def decide(command: RankCandidates, ranking: Ranking, facts: RankingFacts) -> list[CandidatesRanked]:
    require(facts.candidates, "ranking.no_assessments", "phase")
    groups: dict[str | None, list[Candidate]] = {category: [] for category in ranking.latest}
    for candidate in facts.candidates:
        groups.setdefault(candidate.assessment.category if facts.by_category else None, []).append(candidate)
    events = []
    for category in sorted(groups, key=lambda key: key or ""):
        before = ranking.latest.get(category)
        places = places_of(groups[category], facts.tie_breaks)
        if before is None or before.places != places:
            events.append(
                CandidatesRanked(
                    campaign_id=command.campaign_id,
                    phase=command.phase,
                    award=command.award,
                    subject=facts.subject,
                    category=category,
                    revision=1 if before is None else before.revision + 1,
                    places=places,
                )
            )
    return events


def evolve(ranking: Ranking, event: CandidatesRanked) -> Ranking:
    return Ranking({**ranking.latest, event.category: event})


ranking: Decider[RankCandidates, Ranking, RankingFacts, CandidatesRanked] = Decider(
    stream="ranking",
    initial=Ranking(),
    decide=decide,
    evolve=evolve,
    events=(CandidatesRanked,),
)


def ranking_of(campaign_id: str, phase: str, award: str) -> str:
    """The identity of the ranking for an award in a batch."""
    return f"{campaign_id}/{phase}/{award}"


def places_of(candidates: Iterable[Candidate], tie_breaks: Sequence[TieBreak]) -> tuple[Place, ...]:
    """The places, the ranked first; those who share one, and those who have none, in the order of their identities."""
    known = sorted(candidates, key=lambda candidate: candidate.assessment.subject_id)
    excluded = {candidate.event: why_unranked(candidate.assessment) for candidate in known}
    ranked = [candidate for candidate in known if excluded[candidate.event] is None]
    ranked.sort(key=lambda candidate: order_of(candidate, tie_breaks))
    others = _ranks_of_others(ranked)
    orders = [order_of(candidate, tie_breaks) for candidate in ranked]
    places = []
    for n, candidate in enumerate(ranked):
        rank = orders.index(orders[n]) + 1
        ranks = [rank, *(by_method[candidate.event] for by_method in others if candidate.event in by_method)]
        places.append(_place(candidate, rank, _decided_by(orders, n, tie_breaks), min(ranks), max(ranks)))
    unranked = [(candidate, excluded[candidate.event]) for candidate in known]
    return (*places, *(_place(one, None, why, None, None) for one, why in unranked if why is not None))


def why_unranked(assessment: AssessmentCalculated) -> Reason | None:
    """The first reason why a subject is not ranked; None for one who is."""
    if assessment.standing == "probationary":
        return "probationary"
    for reason in ("no_ledger_row", "withheld", "no_work_record"):
        if reason in assessment.missing:
            return reason
    return "below_floor" if assessment.below_floor else None


def order_of(candidate: Candidate, tie_breaks: Sequence[TieBreak]) -> tuple[Decimal, ...]:
    """What places are compared by, one figure after another, the smaller the better; a vote is not known here."""
    assessment = candidate.assessment
    assert assessment.total is not None
    by: dict[TieBreak, Decimal] = {
        "recognition": -(recognition_of(assessment) or Decimal(0)),
        "fulfilment": -(fulfilment_of(assessment) or Decimal(0)),
        "frontline": Decimal(0 if candidate.frontline else 1),
    }
    return -assessment.total, *(by[tie_break] for tie_break in tie_breaks if tie_break in by)


def recognition_of(assessment: AssessmentCalculated) -> Decimal | None:
    return None if assessment.recognition is None else assessment.recognition.score


def fulfilment_of(assessment: AssessmentCalculated) -> Decimal | None:
    return next((part.value for part in assessment.parts if part.part == "fulfilment"), None)


def _decided_by(orders: Sequence[tuple[Decimal, ...]], n: int, tie_breaks: Sequence[TieBreak]) -> Reason:
    """The figure at which a place parts from both its neighbours."""
    steps: list[Reason] = ["total", *(each for each in tie_breaks if each != "committee_vote"), "shared"]
    neighbours = [orders[m] for m in (n - 1, n + 1) if 0 <= m < len(orders)]
    same = [_alike(orders[n], other) for other in neighbours]
    return steps[max(same, default=0)]


def _alike(one: Sequence[Decimal], other: Sequence[Decimal]) -> int:
    """How many figures are the same before the first that is not."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))


def _ranks_of_others(ranked: Sequence[Candidate]) -> list[dict[str, int]]:
    """The ranks by each of the other methods, by assessment event."""
    found = []
    for method in METHODS:
        totals = {
            candidate.event: other.total
            for candidate in ranked
            for other in candidate.assessment.alternatives
            if other.method == method
        }
        ranks: dict[str, int] = {}
        in_order = sorted(totals, key=lambda event: -totals[event])
        for _, tied in groupby(in_order, key=lambda event: totals[event]):
            rank = len(ranks) + 1
            ranks.update(dict.fromkeys(tied, rank))
        found.append(ranks)
    return found


def _place(candidate: Candidate, rank: int | None, reason: Reason, best: int | None, worst: int | None) -> Place:
    assessment = candidate.assessment
    return Place(
        rank=rank,
        reason=reason,
        subject_id=assessment.subject_id,
        unit_id=assessment.unit_id,
        assessment_id=assessment.assessment_id,
        assessment_event=candidate.event,
        total=assessment.total,
        recognition=recognition_of(assessment),
        fulfilment=fulfilment_of(assessment),
        frontline=candidate.frontline,
        best_rank=best,
        worst_rank=worst,
    )
