"""The running count: how many, hour by hour, never one by one."""

from collections.abc import Mapping

import pytest

from avow.contracts.review import ReviewRoundClosed, ReviewRoundOpened, ReviewSubmitted
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.review_count import CountFacts, ReportReviews, ReviewCount, review_count
from avow_evaluation.domain.review_round import RoundEvent, review_round
from tests.kit.given import Given, given
from tests.unit.evaluation.builders import ANNOUNCED, FROZEN, OPENS, OTHER_UNIT, ROUND, UNIT

OPEN = (ANNOUNCED, ReviewRoundOpened(round_id=ROUND))
CLOSED = (*OPEN, ReviewRoundClosed(round_id=ROUND, reason=None))


def so_many(count: int, unit_id: str = UNIT, rater_class: str = "mass") -> ReviewSubmitted:
    return ReviewSubmitted(round_id=ROUND, unit_id=unit_id, rater_class=rater_class, count=count)


def a_count(
    *history: ReviewSubmitted, counts: Mapping[Part, int], round: tuple[RoundEvent, ...] = OPEN
) -> Given[ReportReviews, ReviewCount, CountFacts, ReviewSubmitted]:
    facts = CountFacts(occurred_at=OPENS, round_id=ROUND, round=review_round.fold(round), counts=counts)
    return given(review_count, *history).knowing(facts)


def test_a_report_names_the_parts_whose_count_changed_and_no_others() -> None:
    """R-41"""
    counts = {(UNIT, "members"): 2, (UNIT, "mass"): 7, (OTHER_UNIT, "mass"): 1}
    a_count(so_many(4), so_many(2, rater_class="members"), counts=counts).when(ReportReviews()).then(
        so_many(7), so_many(1, OTHER_UNIT)
    )


def test_where_nothing_changed_nothing_is_said() -> None:
    a_count(so_many(7), counts={(UNIT, "mass"): 7}).when(ReportReviews()).then()
    a_count(counts={}, round=CLOSED).when(ReportReviews()).then()


@pytest.mark.parametrize(("round", "code"), [((), "round.unknown"), ((ANNOUNCED, FROZEN), "round.not_open")])
def test_before_a_round_opens_there_is_nothing_to_report(round: tuple[RoundEvent, ...], code: str) -> None:
    a_count(counts={}, round=round).when(ReportReviews()).refused(code, "round_id")
