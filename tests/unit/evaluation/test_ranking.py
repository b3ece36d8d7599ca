"""The ranking: the order, how ties are broken, who is not ranked, and the reason for each place (R-51)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from avow_evaluation.domain.assessment import AssessmentCalculated
from avow_evaluation.domain.period_recognition import RecognitionScore
from avow_evaluation.domain.ranking import (
    Candidate,
    CandidatesRanked,
    Place,
    RankCandidates,
    RankingFacts,
    places_of,
    ranking,
)
from avow_evaluation.domain.sensitivity import METHODS, Alternative
from avow_evaluation.domain.work_record import PartScore
from tests.kit.given import given
from tests.kit.logs import identity
from tests.unit.evaluation.builders import CAMPAIGN, UNIT

TIES = ("recognition", "fulfilment", "frontline", "committee_vote")
RANK = RankCandidates(campaign_id=CAMPAIGN, phase="phase1", award="award.outstanding_member")


def a_candidate(
    n: int,
    total: str | None = "80",
    recognition: str = "80",
    fulfilment: str = "1",
    frontline: bool = True,
    others: tuple[str, ...] = (),
    **changes: Any,
) -> Candidate:
    """The n-th candidate."""
    zero = Decimal(0)
    fulfilled = PartScore(
        part="fulfilment",
        weight=zero,
        in_force=zero,
        numerator="0",
        denominator=1,
        value=Decimal(fulfilment),
        evidence=(),
    )
    heard = RecognitionScore(round_id=identity(1), z=zero, classes=(), score=Decimal(recognition), evidence=())
    alternatives = tuple(
        Alternative(method=method, recognition=zero, total=Decimal(given))
        for method, given in zip(METHODS, others, strict=False)
    )
    said = AssessmentCalculated(
        assessment_id=identity(100 + n), campaign_id=CAMPAIGN, phase="phase1", starts_on=date(2010, 6, 1),
        ends_on=date(2011, 6, 30), subject="member", subject_id=identity(n), unit_id=UNIT, category="teaching",
        standing="full", revision=1, rules_version=1, rules_event=identity(2), recognition_weight=zero,
        work_record_floor=zero, recognition_floor=zero, parts=(fulfilled,), work_record=zero, recognition=heard,
        total=None if total is None else Decimal(total), missing=(), below_floor=(), means=(),
        alternatives=alternatives, evidence_position=1,
    )  # fmt: skip
    return Candidate(said.model_copy(update=changes), identity(200 + n), frontline)


def places(*candidates: Candidate) -> list[tuple[int | None, str, str]]:
    """Rank, number and reason, in order."""
    numbers = {identity(n): str(n) for n in range(20)}
    return [(p.rank, numbers[p.subject_id], p.reason) for p in places_of(candidates, TIES)]  # type: ignore[arg-type]


def test_the_higher_total_comes_first() -> None:
    """R-51"""
    assert places(a_candidate(1, "70"), a_candidate(2, "90"), a_candidate(3, "80")) == [
        (1, "2", "total"), (2, "3", "total"), (3, "1", "total"),
    ]  # fmt: skip


def test_a_tie_is_broken_by_recognition_then_fulfilment_then_the_front_line_and_both_places_say_so() -> None:
    """R-51"""
    assert places(a_candidate(1), a_candidate(2, recognition="81")) == [
        (1, "2", "recognition"),
        (2, "1", "recognition"),
    ]
    assert places(a_candidate(1, fulfilment="0.9"), a_candidate(2)) == [(1, "2", "fulfilment"), (2, "1", "fulfilment")]
    assert places(a_candidate(1, frontline=False), a_candidate(2)) == [(1, "2", "frontline"), (2, "1", "frontline")]
    tied = places(a_candidate(1, "90"), a_candidate(2), a_candidate(3, fulfilment="0.9"), a_candidate(4, "70"))
    assert tied == [(1, "1", "total"), (2, "2", "fulfilment"), (3, "3", "fulfilment"), (4, "4", "total")]


def test_what_cannot_be_broken_is_a_shared_place() -> None:
    """R-51: neither chance nor a name decides; the committee votes."""
    assert places(a_candidate(2), a_candidate(1), a_candidate(3, "70")) == [
        (1, "1", "shared"), (1, "2", "shared"), (3, "3", "total"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"standing": "probationary"}, "probationary"),
        ({"total": None, "missing": ("no_work_record", "no_ledger_row")}, "no_ledger_row"),
        ({"total": None, "missing": ("withheld",)}, "withheld"),
        ({"total": None, "missing": ("no_work_record",)}, "no_work_record"),
        ({"below_floor": ("recognition",)}, "below_floor"),
    ],
)
def test_who_cannot_be_commended_is_listed_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    """R-47, R-51; probationary members are reviewed and never ranked."""
    assert places(a_candidate(1, **changes), a_candidate(2, "10")) == [(1, "2", "total"), (None, "1", reason)]


def test_a_place_says_between_which_ranks_it_lies_under_the_other_methods() -> None:
    first = a_candidate(1, "90", others=("80", "90", "80", "90"))
    second = a_candidate(2, "80", others=("85", "85", "80", "85"))
    third = a_candidate(3, "70", others=("81", "70", "80", "95"))
    found = places_of([first, second, third], TIES)  # type: ignore[arg-type]
    assert [(p.rank, p.best_rank, p.worst_rank) for p in found] == [(1, 1, 3), (2, 1, 3), (3, 1, 3)]
    (alone,) = places_of([a_candidate(4)], TIES)  # type: ignore[arg-type]
    assert (alone.best_rank, alone.worst_rank) == (1, 1)


def facts(*candidates: Candidate, by_category: bool = True) -> RankingFacts:
    return RankingFacts(
        occurred_at=datetime(2011, 6, 30, tzinfo=UTC),
        subject="member",
        by_category=by_category,
        tie_breaks=TIES,  # type: ignore[arg-type]
        candidates=candidates,
    )


def test_each_category_is_ranked_apart_or_all_together() -> None:
    candidates = a_candidate(1), a_candidate(2, category="service")
    apart = given(ranking).knowing(facts(*candidates)).when(RANK).decided()
    together = given(ranking).knowing(facts(*candidates, by_category=False)).when(RANK).decided()
    assert [(event.category, len(event.places)) for event in apart] == [("service", 1), ("teaching", 1)]
    assert [(event.category, len(event.places)) for event in together] == [(None, 2)]


def test_a_ranking_is_said_again_only_where_it_has_changed() -> None:
    before = given(ranking).knowing(facts(a_candidate(1), a_candidate(2, category="service"))).when(RANK).decided()
    moved = facts(a_candidate(1), a_candidate(2))
    given(ranking, *before).knowing(facts(a_candidate(1), a_candidate(2, category="service"))).when(RANK).then()
    emptied, filled = given(ranking, *before).knowing(moved).when(RANK).decided()
    assert (emptied.category, emptied.places, emptied.revision) == ("service", (), 2)
    assert (filled.category, len(filled.places), filled.revision) == ("teaching", 2, 2)


def test_every_place_names_the_assessment_it_rests_on() -> None:
    """R-47"""
    (event,) = given(ranking).knowing(facts(a_candidate(1))).when(RANK).decided()
    assert isinstance(event, CandidatesRanked)
    (place,) = event.places
    assert isinstance(place, Place)
    assert (place.assessment_id, place.assessment_event) == (identity(101), identity(201))


def test_nobody_is_ranked_before_anybody_is_assessed() -> None:
    given(ranking).knowing(facts()).when(RANK).refused("ranking.no_assessments", "phase")
