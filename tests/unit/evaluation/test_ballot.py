"""The rules of a ballot."""

from datetime import datetime, timedelta

import pytest

from avow.contracts.review import ReviewRoundClosed, ReviewRoundOpened
from avow_evaluation.domain.ballot import Ballot, BallotCast, BallotFacts, CastBallot, ballot
from avow_evaluation.domain.credential import fresh, hash_of
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.review_count import full_hour
from avow_evaluation.domain.review_round import RoundEvent, review_round
from tests.kit.given import Given, given
from tests.unit.evaluation.builders import ANNOUNCED, BEST, CLOSES, FROZEN, OPENS, ROUND, ROWS, UNIT, WORST, a_ballot

OPENED, CLOSED = ReviewRoundOpened(round_id=ROUND), ReviewRoundClosed(round_id=ROUND, reason=None)
PAPER = CastBallot(rows=dict.fromkeys(ROWS, BEST))
NOW = OPENS + timedelta(hours=3)


def a_rater(
    *history: BallotCast,
    round: tuple[RoundEvent, ...] = (ANNOUNCED, OPENED),
    part: Part | None = (UNIT, "mass"),
    now: datetime = NOW,
) -> Given[CastBallot, Ballot, BallotFacts, BallotCast]:
    facts = BallotFacts(occurred_at=full_hour(now), now=now, round_id=ROUND, round=review_round.fold(round), part=part)
    return given(ballot, *history).knowing(facts)


def test_a_ballot_says_what_is_thought_of_whom_by_which_class_and_no_more() -> None:
    """R-41"""
    a_rater().when(PAPER).then(a_ballot("mass", BEST))


def test_a_credential_admits_one_ballot() -> None:
    """R-41"""
    a_rater(a_ballot("mass", WORST)).when(PAPER).refused("ballot.already_cast", "credential")


def test_a_credential_that_was_never_issued_or_was_replaced_admits_none() -> None:
    a_rater(part=None).when(PAPER).refused("ballot.credential_unknown", "credential")


@pytest.mark.parametrize(
    ("round", "code"),
    [
        ((), "round.unknown"),
        ((ANNOUNCED, FROZEN), "round.not_open"),
        ((ANNOUNCED, OPENED, CLOSED), "round.closed"),
    ],
)
def test_ballots_are_taken_while_the_round_is_open(round: tuple[RoundEvent, ...], code: str) -> None:
    a_rater(round=round).when(PAPER).refused(code, "round_id")
    # Nor does a round that is not open say whether a credential is good.
    a_rater(round=round, part=None).when(PAPER).refused(code, "round_id")


def test_no_ballot_is_taken_from_the_announced_end_on_though_nobody_has_closed_the_round_yet() -> None:
    """R-41: else whoever closes it would choose when enough have said what."""
    a_rater(now=CLOSES - timedelta(microseconds=1)).when(PAPER).then(a_ballot("mass", BEST))
    a_rater(now=CLOSES).when(PAPER).refused("round.closed", "round_id")


@pytest.mark.parametrize(
    ("rows", "code", "field"),
    [
        (dict.fromkeys(ROWS[:2] + ROWS[3:], BEST), "ballot.row_missing", "rows.pledge_keeping"),
        ({**PAPER.rows, "weather": BEST}, "ballot.row_unknown", "rows.weather"),
        ({**PAPER.rows, "pledge_keeping": "splendid"}, "ballot.grade_unknown", "rows.pledge_keeping"),
    ],
)
def test_a_ballot_fills_in_the_form_and_nothing_else(rows: dict[str, str | None], code: str, field: str) -> None:
    a_rater().when(CastBallot(rows=rows)).refused(code, field)


def test_a_row_may_be_left_open() -> None:
    a_rater().when(CastBallot(rows=dict.fromkeys(ROWS))).then(a_ballot("mass", None))


def test_the_order_the_rows_came_in_is_not_kept() -> None:
    (cast,) = a_rater().when(CastBallot(rows=dict.fromkeys(reversed(ROWS), BEST))).decided()
    assert tuple(cast.rows) == ROWS


def test_a_credential_is_128_random_bits_known_by_their_hash() -> None:
    """The hash is SHA-256 of the bytes, here of 16 zeros."""
    assert fresh(2, lambda count: bytes(range(count))) == ("000102030405060708090a0b0c0d0e0f",) * 2
    assert hash_of("00" * 16) == "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb"


def test_a_ballot_has_no_time_but_the_hour() -> None:
    assert full_hour(datetime.fromisoformat("2010-12-06T03:59:59.999999+00:00")) == NOW
