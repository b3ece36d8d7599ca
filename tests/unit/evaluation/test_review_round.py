"""The rules of a round of reviews."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from avow.contracts.review import ReviewRoundClosed, ReviewRoundOpened, ReviewTallied
from avow.programme import load
from avow_evaluation.domain.announcement import AnnounceRound
from avow_evaluation.domain.electorate import Roll, RollFrozen
from avow_evaluation.domain.review_round import (
    CloseRound,
    CredentialsIssued,
    FreezeElectorate,
    IssueCredentials,
    OpenRound,
    ReviewRound,
    RoundCommand,
    RoundEvent,
    RoundFacts,
    TallyRound,
    review_round,
)
from tests.kit.given import Given, given
from tests.unit.evaluation.builders import (
    ANNOUNCED,
    BEST,
    CAMPAIGN,
    CLOSES,
    FORM,
    FROZEN,
    ISSUED,
    MEASURE,
    MEMBER,
    OPENS,
    OTHER_MEMBER,
    OTHER_UNIT,
    ROUND,
    UNIT,
    a_ballot,
    hashes,
    issued,
)

OPENED, CLOSED = ReviewRoundOpened(round_id=ROUND), ReviewRoundClosed(round_id=ROUND, reason=None)
ANNOUNCE = AnnounceRound(
    campaign_id=CAMPAIGN, title=ANNOUNCED.title, subjects=(UNIT, OTHER_UNIT), opens_at=OPENS, closes_at=CLOSES
)
ROLLS = (
    Roll(unit_id=OTHER_UNIT, rater_class="mass", entries=("20100201",)),
    Roll(unit_id=UNIT, rater_class="mass", entries=("20100103", "20100101", "20100102")),
)
MEMBERS = {(UNIT, "members"): [OTHER_MEMBER, MEMBER], (OTHER_UNIT, "members"): []}
ISSUE = IssueCredentials(unit_id=UNIT, rater_class="mass")

History = tuple[RoundEvent, ...]
RoundStory = Given[RoundCommand, ReviewRound, RoundFacts, RoundEvent]


def facts(at: datetime = OPENS, **changes: object) -> RoundFacts:
    known = RoundFacts(occurred_at=at, round_id=ROUND, announcement=MEASURE, members=MEMBERS)
    return replace(known, **changes)  # type: ignore[arg-type]


def a_round(*history: RoundEvent, at: datetime = OPENS, **changes: object) -> RoundStory:
    return given(review_round, *history).knowing(facts(at, **changes))


ANNOUNCED_ROUND: History = (ANNOUNCED,)
FROZEN_ROUND: History = (ANNOUNCED, FROZEN)
READY_ROUND: History = (ANNOUNCED, FROZEN, *ISSUED)
OPEN_ROUND: History = (*READY_ROUND, OPENED)
CLOSED_ROUND: History = (*OPEN_ROUND, CLOSED)


def test_an_announcement_carries_the_form_of_the_campaigns_programme() -> None:
    """R-41, R-75"""
    a_round().when(ANNOUNCE).then(ANNOUNCED)
    assert [row.key for row in FORM.rows] == [
        "organising", "central_tasks", "pledge_keeping", "practical_help", "building",
    ]  # fmt: skip
    assert [(str(grade.points), grade.top) for grade in FORM.grades] == [
        ("100", True), ("85", True), ("70", False), ("50", False),
    ]  # fmt: skip
    assert [(weight.rater_class, str(weight.weight)) for weight in FORM.weights] == [("mass", "30"), ("members", "10")]
    assert (str(FORM.z), FORM.minimum_ballots, str(FORM.minimum_share)) == ("1.96", 5, "0.30")


def test_a_programme_without_a_form_for_units_holds_no_round_on_units() -> None:
    """R-75"""
    measure = replace(MEASURE, programme=load("teaching-excellence"))
    a_round(announcement=measure).when(ANNOUNCE).refused("round.no_unit_form", "campaign_id")


@pytest.mark.parametrize(
    ("opens_on", "closes_on", "field"),
    [(date(2010, 5, 31), date(2010, 6, 4), "opens_at"), (date(2012, 6, 29), date(2012, 7, 1), "closes_at")],
)
def test_a_round_outside_its_campaign_is_refused(opens_on: date, closes_on: date, field: str) -> None:
    """R-01"""
    measure = replace(MEASURE, ends_on=date(2012, 6, 30), opens_on=opens_on, closes_on=closes_on)
    a_round(announcement=measure).when(ANNOUNCE).refused("round.outside_campaign", field)


def test_a_round_closes_after_it_opens_and_names_each_unit_once() -> None:
    backwards = ANNOUNCE.model_copy(update={"closes_at": OPENS})
    a_round().when(backwards).refused("round.closes_before_it_opens", "closes_at")
    twice = ANNOUNCE.model_copy(update={"subjects": (UNIT, OTHER_UNIT, UNIT)})
    a_round().when(twice).refused("round.subject_repeated", "subjects[2]")


def test_what_was_announced_stays() -> None:
    a_round(*ANNOUNCED_ROUND).when(ANNOUNCE).refused("round.announced", "round_id")


def test_freezing_makes_the_counts_public_and_keeps_the_rolls() -> None:
    """R-41: members come from the register, and no roll keeps the order it was handed in by."""
    counts, *rolls = a_round(*ANNOUNCED_ROUND).when(FreezeElectorate(parts=ROLLS)).decided()
    assert counts == FROZEN
    assert rolls == [
        RollFrozen(round_id=ROUND, unit_id=UNIT, rater_class="mass", entries=("20100101", "20100102", "20100103")),
        RollFrozen(round_id=ROUND, unit_id=UNIT, rater_class="members", entries=(MEMBER, OTHER_MEMBER)),
        RollFrozen(round_id=ROUND, unit_id=OTHER_UNIT, rater_class="mass", entries=("20100201",)),
        RollFrozen(round_id=ROUND, unit_id=OTHER_UNIT, rater_class="members", entries=()),
    ]
    assert [roll.public for roll in rolls] == [False] * 4


@pytest.mark.parametrize(
    ("parts", "code", "field"),
    [
        (ROLLS[:1], "electorate.part_missing", "parts"),
        ((*ROLLS, ROLLS[0]), "electorate.part_repeated", "parts[2]"),
        (
            (Roll(unit_id=MEMBER, rater_class="mass", entries=()),),
            "electorate.unit_unknown",
            "parts[0].unit_id",
        ),
        (
            (*ROLLS, Roll(unit_id=UNIT, rater_class="peer", entries=())),
            "electorate.class_unknown",
            "parts[2].rater_class",
        ),
        (
            (*ROLLS, Roll(unit_id=UNIT, rater_class="members", entries=("钟若岚",))),
            "electorate.class_from_register",
            "parts[2].rater_class",
        ),
        (
            (Roll(unit_id=UNIT, rater_class="mass", entries=("20100101", "20100101")),),
            "electorate.entry_repeated",
            "parts[0].entries",
        ),
    ],
)
def test_an_electorate_has_each_part_once_and_nobody_twice(parts: tuple[Roll, ...], code: str, field: str) -> None:
    a_round(*ANNOUNCED_ROUND).when(FreezeElectorate(parts=parts)).refused(code, field)


def test_an_electorate_is_frozen_once() -> None:
    a_round(*FROZEN_ROUND).when(FreezeElectorate(parts=ROLLS)).refused("round.frozen", "round_id")


def test_a_part_gets_as_many_credentials_as_people_and_again_until_the_round_opens() -> None:
    fresh, later = hashes(3), hashes(3, start=9)
    a_round(*FROZEN_ROUND, hashes=fresh[::-1]).when(ISSUE).then(issued((UNIT, "mass")))
    a_round(*READY_ROUND, hashes=later).when(ISSUE).then(issued((UNIT, "mass"), generation=2, start=9))
    a_round(*OPEN_ROUND, hashes=later).when(ISSUE).refused("round.open", "round_id")


def test_fewer_or_more_credentials_than_people_are_a_mistake_of_ours() -> None:
    for count in (2, 4):
        with pytest.raises(AssertionError):
            a_round(*FROZEN_ROUND, hashes=hashes(count)).when(ISSUE).decided()


def test_credentials_are_for_a_part_of_a_frozen_electorate() -> None:
    a_round(*ANNOUNCED_ROUND).when(ISSUE).refused("round.not_frozen", "round_id")
    a_round(*FROZEN_ROUND).when(IssueCredentials(unit_id=MEMBER, rater_class="mass")).refused(
        "electorate.unit_unknown", "unit_id"
    )
    a_round(*FROZEN_ROUND).when(IssueCredentials(unit_id=UNIT, rater_class="peer")).refused(
        "electorate.class_unknown", "rater_class"
    )


def test_a_round_opens_once_every_part_with_people_has_credentials() -> None:
    """The other unit's members are nobody, so nothing is missing for them."""
    a_round(*READY_ROUND).when(OpenRound()).then(OPENED)
    refusal = a_round(*FROZEN_ROUND, *ISSUED[:-1]).when(OpenRound()).refused("round.not_issued", "round_id")
    assert refusal.params == {"unit_id": OTHER_UNIT, "rater_class": "mass"}


def test_a_round_opens_no_earlier_than_announced() -> None:
    early = OPENS - timedelta(microseconds=1)
    a_round(*READY_ROUND, at=early).when(OpenRound()).refused("round.too_early", "occurred_at")


def test_a_round_closes_early_only_for_a_reason_that_is_made_public() -> None:
    early = CLOSES - timedelta(microseconds=1)
    a_round(*OPEN_ROUND, at=early).when(CloseRound()).refused("round.closed_early_without_reason", "reason")
    reasoned = ReviewRoundClosed(round_id=ROUND, reason="系统维护")
    a_round(*OPEN_ROUND, at=early).when(CloseRound(reason="系统维护")).then(reasoned)
    a_round(*OPEN_ROUND, at=CLOSES).when(CloseRound()).then(CLOSED)


@pytest.mark.parametrize(
    ("history", "command", "code"),
    [
        ((), FreezeElectorate(parts=()), "round.unknown"),
        ((), TallyRound(), "round.unknown"),
        (ANNOUNCED_ROUND, OpenRound(), "round.not_frozen"),
        (READY_ROUND, CloseRound(), "round.not_open"),
        (OPEN_ROUND, OpenRound(), "round.open"),
        (OPEN_ROUND, TallyRound(), "round.not_closed"),
        (CLOSED_ROUND, OpenRound(), "round.open"),
        (CLOSED_ROUND, CloseRound(), "round.closed"),
    ],
)
def test_a_round_goes_one_way(history: History, command: RoundCommand, code: str) -> None:
    a_round(*history, at=CLOSES).when(command).refused(code, "round_id")


def test_a_closed_round_is_tallied_once_for_each_unit() -> None:
    """R-41"""
    ballots = {UNIT: [a_ballot("mass", BEST), a_ballot("mass", BEST), a_ballot("members", BEST)]}
    tallied = a_round(*CLOSED_ROUND, at=CLOSES, ballots=ballots).when(TallyRound()).decided()
    assert [(t.unit_id, t.eligible, t.cast) for t in tallied if isinstance(t, ReviewTallied)] == [
        (UNIT, 5, 3),
        (OTHER_UNIT, 1, 0),
    ]
    a_round(*CLOSED_ROUND, *tallied, at=CLOSES).when(TallyRound()).refused("round.tallied", "round_id")


def test_hashes_stand_in_an_order_that_says_nothing_of_the_people() -> None:
    (event,) = a_round(*FROZEN_ROUND, hashes=hashes(3)[::-1]).when(ISSUE).decided()
    assert isinstance(event, CredentialsIssued)
    assert list(event.hashes) == sorted(event.hashes)
