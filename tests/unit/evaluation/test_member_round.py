"""Rounds on the members of a unit: one ballot for all of them, and a result for each that stays in the service."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from avow.contracts.review import ReviewRoundClosed, ReviewRoundOpened, ReviewTallied
from avow_evaluation.domain.announcement import AnnounceRound
from avow_evaluation.domain.ballot import Ballot, BallotCast, BallotFacts, CastBallot, ballot
from avow_evaluation.domain.electorate import Roll
from avow_evaluation.domain.member_review import MemberReviewTallied, tally_members
from avow_evaluation.domain.review_form import member_form, row_of
from avow_evaluation.domain.review_round import FreezeElectorate, RoundFacts, TallyRound, review_round
from avow_evaluation.domain.spread import ReviewSpread
from tests.kit.given import Given, given
from tests.kit.logs import identity
from tests.unit.evaluation.builders import ANNOUNCED, CAMPAIGN, CLOSES, FROZEN, MEASURE, OPENS, PROGRAMME, ROUND, UNIT

PEOPLE = tuple(identity(n) for n in range(301, 308))
FORM = member_form(PROGRAMME, PEOPLE)
BEST, GOOD, FAIR, WORST = (grade.key for grade in FORM.grades)
ON_MEMBERS = ANNOUNCED.model_copy(
    update={"subject": "member", "subjects": PEOPLE, "unit_id": UNIT, "form": FORM, "peer_classes": ("peer",)}
)
ANNOUNCE = AnnounceRound(
    campaign_id=CAMPAIGN, title=ANNOUNCED.title, subject="member", unit_id=UNIT, opens_at=OPENS, closes_at=CLOSES
)
OPENED, CLOSED = ReviewRoundOpened(round_id=ROUND), ReviewRoundClosed(round_id=ROUND, reason=None)
ELIGIBLE = {"peer": 7, "mass": 6}
FACTS = RoundFacts(occurred_at=OPENS, round_id=ROUND, announcement=replace(MEASURE, members=PEOPLE))


def paper(own: int | None = None, grade: str = BEST, **others: str) -> dict[str, str | None]:
    """A grade for everybody, and none for the one whose own ballot it is."""
    rows: dict[str, str | None] = {row_of(person): grade for person in PEOPLE}
    rows |= {row_of(PEOPLE[int(n[1:])]): other for n, other in others.items()}
    return rows if own is None else rows | {row_of(PEOPLE[own]): None}


def cast(rater_class: str, rows: Mapping[str, str | None]) -> BallotCast:
    return BallotCast(round_id=ROUND, unit_id=UNIT, rater_class=rater_class, rows=dict(rows))


def a_rater(rater_class: str) -> Given[CastBallot, Ballot, BallotFacts, BallotCast]:
    round = review_round.fold([ON_MEMBERS, OPENED])
    facts = BallotFacts(occurred_at=OPENS, now=OPENS, round_id=ROUND, round=round, part=(UNIT, rater_class))
    return given(ballot).knowing(facts)


def test_a_round_on_members_is_on_every_member_the_unit_has_that_day() -> None:
    """R-42"""
    given(review_round).knowing(FACTS).when(ANNOUNCE).then(ON_MEMBERS)


def test_a_rehearsal_says_so_from_its_announcement_on() -> None:
    rehearsed = ANNOUNCE.model_copy(update={"rehearsal": True})
    said = ON_MEMBERS.model_copy(update={"rehearsal": True})
    given(review_round).knowing(FACTS).when(rehearsed).then(said)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"unit_id": None}, "round.unit_of_members", "unit_id"),
        ({"subject": "unit"}, "round.unit_of_members", "unit_id"),
        ({"subjects": PEOPLE[:1]}, "round.members_from_register", "subjects"),
    ],
)
def test_whose_members_are_reviewed_is_said_and_the_register_says_who_they_are(
    changes: dict[str, object], code: str, field: str
) -> None:
    given(review_round).knowing(FACTS).when(ANNOUNCE.model_copy(update=changes)).refused(code, field)


def test_a_unit_without_members_has_no_round_on_them() -> None:
    nobody = replace(FACTS, announcement=MEASURE)
    given(review_round).knowing(nobody).when(ANNOUNCE).refused("round.no_subjects", "unit_id")


def test_the_electorate_is_the_units_members_and_the_roll_of_the_public() -> None:
    facts = replace(FACTS, members={(UNIT, "peer"): PEOPLE})
    roll = Roll(unit_id=UNIT, rater_class="mass", entries=("20100101", "20100102"))
    frozen = given(review_round, ON_MEMBERS).knowing(facts).when(FreezeElectorate(parts=(roll,))).decided()
    standing = review_round.fold([ON_MEMBERS, *frozen])
    assert standing.eligible == {(UNIT, "peer"): 7, (UNIT, "mass"): 2}


def test_a_peer_leaves_a_row_empty_and_the_public_need_not() -> None:
    """R-42: nobody reviews themselves."""
    a_rater("peer").when(CastBallot(rows=paper())).refused("ballot.own_row", "rows")
    a_rater("peer").when(CastBallot(rows=paper(own=0))).then(cast("peer", paper(own=0)))
    a_rater("mass").when(CastBallot(rows=paper())).then(cast("mass", paper()))


def the_results(*ballots: BallotCast) -> list[MemberReviewTallied]:
    return tally_members(ON_MEMBERS, ELIGIBLE, ballots)


def test_each_member_has_a_result_from_the_row_that_is_theirs() -> None:
    """R-42"""
    peers = [cast("peer", paper(own=n, p1=WORST)) for n in (0, 2, 3, 4, 5, 6)]
    public = [cast("mass", paper(p1=GOOD, p2=FAIR))] * 5
    first, second, third, *_ = the_results(*peers, *public)
    assert (first.person_id, first.eligible, first.cast, first.validity) == (PEOPLE[0], 13, 11, "valid")
    assert (first.grades, first.abstained) == ({BEST: 10, GOOD: 0, FAIR: 0, WORST: 0}, 1)
    assert [(c.rater_class, c.graded, c.support) for c in first.classes] == [("peer", 5, "5"), ("mass", 5, "5")]
    assert [(c.rater_class, c.graded, c.support) for c in second.classes] == [("peer", 6, "0"), ("mass", 5, "5")]
    assert [spread.ballots for spread in second.spread] == [{"50": 6}, {"85": 5}]
    assert [spread.ballots for spread in third.spread] == [{"100": 5}, {"70": 5}]
    assert first.recognition is not None
    assert second.recognition is not None
    assert first.recognition > second.recognition


def test_what_a_class_below_its_minimum_said_of_a_member_leaves_no_trace() -> None:
    """R-45: five peers voted, and one of them is who it is about."""
    peers = [cast("peer", paper(own=n)) for n in range(5)]
    public = [cast("mass", paper())] * 6
    first, *_, last = the_results(*peers, *public)
    assert [(c.counted, c.graded) for c in first.classes] == [(False, None), (True, 6)]
    assert [spread.rater_class for spread in first.spread] == ["mass"]
    assert [(c.counted, c.graded) for c in last.classes] == [(True, 5), (True, 6)]


def test_too_few_ballots_make_no_result_of_a_member() -> None:
    (first, *_) = the_results(*[cast("mass", paper())] * 6)
    assert (first.validity, first.recognition, first.grades, first.spread) == ("invalid", None, {}, ())


def test_a_round_on_members_is_tallied_for_each_and_nothing_of_it_is_public() -> None:
    eligible = {(UNIT, rater_class): count for rater_class, count in ELIGIBLE.items()}
    standing = replace(review_round.fold([ON_MEMBERS, OPENED, CLOSED]), eligible=eligible)
    facts = replace(FACTS, ballots={UNIT: [cast("mass", paper())]})
    tallied = review_round.decide(TallyRound(), standing, facts)
    assert [t.person_id for t in tallied if isinstance(t, MemberReviewTallied)] == list(PEOPLE)
    assert not any(event.public for event in tallied)


def test_of_a_rehearsal_no_spread_is_kept() -> None:
    rehearsed = ANNOUNCED.model_copy(update={"rehearsal": True})
    facts = RoundFacts(occurred_at=CLOSES, round_id=ROUND)
    tallied = given(review_round, rehearsed, FROZEN, OPENED, CLOSED).knowing(facts).when(TallyRound()).decided()
    assert not any(isinstance(event, ReviewSpread) for event in tallied)
    assert [event.rehearsal for event in tallied if isinstance(event, ReviewTallied)] == [True, True]
