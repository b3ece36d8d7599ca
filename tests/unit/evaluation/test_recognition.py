"""Public recognition: exact, monotone, indifferent to order, and silent about classes too small to speak."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avow.contracts.review import ReviewTallied
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.recognition import good_rate, lower_bound, minimum, recognition, rounded, tally
from tests.unit.evaluation import oracle
from tests.unit.evaluation.builders import (
    ANNOUNCED,
    BEST,
    FAIR,
    FORM,
    GOOD,
    GRADES,
    ROWS,
    UNIT,
    WORST,
    a_ballot,
    the_members,
    the_public,
)

ELIGIBLE = {"mass": 12, "members": 8}
grades = st.sampled_from((*GRADES, None))
votes = st.tuples(*[grades for _ in ROWS])


def ballots_of(rater_class: str) -> st.SearchStrategy[list[BallotCast]]:
    """Around the least that counts: of two sizes of class some are valid, some not."""
    most = ELIGIBLE[rater_class]
    return st.lists(votes.map(lambda given: a_ballot(rater_class, *given)), min_size=most // 3, max_size=most)


boxes = st.builds(lambda public, members: [*public, *members], ballots_of("mass"), ballots_of("members"))


def the_result(ballots: Sequence[BallotCast], mass: int = 12, members: int = 8) -> ReviewTallied:
    return tally(ANNOUNCED, UNIT, {"mass": mass, "members": members}, ballots)


@settings(max_examples=300, deadline=None)
@given(boxes)
def test_recognition_is_what_the_oracle_says_to_the_ninth_decimal(ballots: list[BallotCast]) -> None:
    assert the_result(ballots).recognition == oracle.recognition(FORM, ELIGIBLE, ballots)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 700).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 60 * n))))
def test_the_bound_is_what_the_oracle_says_to_the_fortieth_decimal(counted: tuple[int, int]) -> None:
    n, sixtieths = counted
    support = Fraction(sixtieths, 60)
    ours = Fraction(lower_bound(support, n, FORM.z))
    assert abs(ours - oracle.bound([support / n] * n, Fraction(FORM.z))) < Fraction(1, 10**40)


@pytest.mark.parametrize(
    ("good", "asked", "bound"), [(81, 263, "0.2553"), (15, 148, "0.0624"), (0, 20, "0.0000"), (1, 29, "0.0061")]
)
def test_the_bound_is_the_one_in_the_literature(good: int, asked: int, bound: str) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I, score method without continuity correction."""
    assert round(lower_bound(Fraction(good), asked, Decimal("1.96")), 4) == Decimal(bound)


@settings(deadline=None)
@given(boxes)
def test_recognition_lies_between_0_and_100(ballots: list[BallotCast]) -> None:
    reached = the_result(ballots).recognition
    assert reached is None or 0 <= reached <= 100


@settings(deadline=None)
@given(boxes.flatmap(lambda box: st.tuples(st.just(box), st.permutations(box))))
def test_the_order_ballots_are_read_in_makes_no_difference(box: tuple[list[BallotCast], list[BallotCast]]) -> None:
    ballots, shuffled = box
    assert the_result(ballots) == the_result(shuffled)


@settings(deadline=None)
@given(boxes, st.data())
def test_a_better_grade_never_lowers_recognition(ballots: list[BallotCast], data: st.DataObject) -> None:
    places = [(n, row) for n, cast in enumerate(ballots) for row in ROWS if cast.rows[row] in (FAIR, WORST)]
    if not places:
        return
    n, row = data.draw(st.sampled_from(places))
    better = ballots[n].model_copy(update={"rows": {**ballots[n].rows, row: data.draw(st.sampled_from((BEST, GOOD)))}})
    before, after = the_result(ballots), the_result([*ballots[:n], better, *ballots[n + 1 :]])
    assert (before.recognition is None) == (after.recognition is None)
    assert before.recognition is None or after.recognition is None or before.recognition <= after.recognition


@settings(deadline=None)
@given(ballots_of("members"), st.lists(votes, min_size=4, max_size=4), st.lists(votes, min_size=4, max_size=4))
def test_what_a_class_below_its_minimum_said_leaves_no_trace(
    members: list[BallotCast], some: list[tuple[str | None, ...]], others: list[tuple[str | None, ...]]
) -> None:
    """R-45: whatever the four said, every published figure is the same; so nothing can be subtracted."""
    results = [the_result([*members, *(a_ballot("mass", *vote) for vote in four)], mass=4) for four in (some, others)]
    assert results[0] == results[1]
    assert results[0].classes[0].counted is False


def test_six_of_250_who_give_only_the_best_grade_make_no_result() -> None:
    """R-41: a mean would have put this unit first."""
    result = the_result(the_public(6, BEST), mass=250, members=25)
    assert (result.eligible, result.cast, result.validity) == (275, 6, "invalid")
    assert result.turnout == rounded(Fraction(6, 275))
    assert (result.recognition, result.good_rate, result.rows) == (None, None, ())
    for part in result.classes:
        assert (part.counted, part.graded, part.support, part.lower_bound, part.share) == (
            False,
            None,
            None,
            None,
            None,
        )
    assert result.classes[0].minimum == 75


def test_a_round_below_half_is_invalid_and_one_below_four_fifths_is_low() -> None:
    assert the_result(the_public(9, BEST)).validity == "invalid"
    assert the_result(the_public(10, BEST)).validity == "low"
    assert the_result(the_public(12, BEST) + the_members(3, BEST)).validity == "low"
    assert the_result(the_public(12, BEST) + the_members(4, BEST)).validity == "valid"


def test_an_invalid_round_publishes_nothing_of_classes_that_met_their_minimum() -> None:
    result = the_result(the_public(100, BEST) + the_members(25, GOOD), mass=250, members=25)
    assert result.validity == "invalid"
    assert [part.cast for part in result.classes] == [100, 25]
    assert (result.recognition, result.rows, [part.counted for part in result.classes]) == (None, (), [False, False])


def test_a_class_left_out_gives_its_weight_to_the_others() -> None:
    result = the_result(the_public(4, WORST) + the_members(40, BEST), mass=8, members=40)
    public, members = result.classes
    assert (public.counted, members.counted) == (False, True)
    assert (public.weight, members.weight, members.share) == (Decimal(30), Decimal(10), Decimal(1))
    assert members.lower_bound is not None
    assert result.recognition == rounded(100 * lower_bound(Fraction(40), 40, FORM.z))
    assert result.good_rate == Decimal(1)
    assert {sum(row.grades.values()) for row in result.rows} == {40}


def test_two_classes_are_weighed_three_to_one() -> None:
    result = the_result(the_public(12, BEST) + the_members(8, WORST))
    public, members = result.classes
    assert (public.share, members.share) == (Decimal("0.75"), Decimal("0.25"))
    assert (public.support, members.support) == ("12", "0")
    assert members.lower_bound == 0
    assert result.recognition == rounded(75 * lower_bound(Fraction(12), 12, FORM.z))


def test_where_only_a_class_without_weight_counts_there_is_no_recognition() -> None:
    weights = tuple(w.model_copy(update={"weight": Decimal(w.rater_class == "mass")}) for w in FORM.weights)
    announced = ANNOUNCED.model_copy(update={"form": FORM.model_copy(update={"weights": weights})})
    result = tally(announced, UNIT, {"mass": 2, "members": 8}, the_members(8, BEST))
    assert (result.recognition, result.good_rate) == (None, Decimal(1))
    assert [(part.counted, part.share) for part in result.classes] == [(False, None), (True, None)]


@settings(deadline=None)
@given(boxes)
def test_whoever_reads_the_event_can_recompute_recognition_from_it(ballots: list[BallotCast]) -> None:
    """R-49"""
    told = ReviewTallied.model_validate_json(the_result(ballots).model_dump_json())
    assert recognition(FORM, told.classes) == told.recognition


def test_abstentions_are_counted_and_left_out_of_every_share() -> None:
    """R-41: the second row is left open by all; a wholly empty ballot is received and says nothing."""
    ballots = [*the_public(10, BEST, None, FAIR), *the_public(2, None)]
    result = the_result(ballots)
    public = result.classes[0]
    assert (public.cast, public.graded, public.support) == (12, 10, "5/2")
    assert [row.abstained for row in result.rows] == [2, 12, 2, 2, 2]
    assert result.rows[0].grades == {BEST: 10, GOOD: 0, FAIR: 0, WORST: 0}
    assert result.good_rate == Decimal("0.25")


def test_the_minimum_is_five_or_three_tenths_of_the_class_whichever_is_more() -> None:
    assert [minimum(FORM, eligible) for eligible in (0, 5, 16, 17, 20, 21, 250)] == [5, 5, 5, 6, 6, 7, 75]


def test_empty_ballots_do_not_lift_a_class_over_its_minimum() -> None:
    result = the_result([*the_public(4, BEST), *the_public(8, None), *the_members(8, BEST)])
    assert [part.counted for part in result.classes] == [False, True]


def test_nobody_eligible_makes_no_result() -> None:
    result = the_result([], mass=0, members=0)
    assert (result.turnout, result.validity, result.recognition) == (None, "invalid", None)


def test_a_figure_is_rounded_half_to_even_at_the_ninth_decimal() -> None:
    assert rounded(Fraction(5, 10**10)) == Decimal("0.000000000")
    assert rounded(Fraction(15, 10**10)) == Decimal("0.000000002")
    assert rounded(Decimal("0.0000000025")) == Decimal("0.000000002")
    assert rounded(Fraction(2, 3)) == Decimal("0.666666667")


def test_the_good_rate_of_no_grade_at_all_is_unknown() -> None:
    assert good_rate(FORM, the_public(3, None)) is None
