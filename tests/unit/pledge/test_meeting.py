"""The rules of a meeting and of the leaders' comments made there."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from avow.contracts.meeting import CommentRecorded, CommentText, MeetingHeld
from avow_pledge.domain.meeting import HoldMeeting, MeetingFacts, RecordComment, meeting
from tests.kit.given import given
from tests.unit.pledge.builders import (
    CAMPAIGN,
    LEADER,
    MEETING,
    MEMBER,
    MOMENT,
    OTHER_UNIT,
    SECRETARY,
    UNIT,
    a_running_campaign,
)

HELD = MeetingHeld(
    meeting_id=MEETING,
    campaign_id=CAMPAIGN,
    unit_id=UNIT,
    kind="branch_committee",
    agenda=("campaign", "routine"),
    chair_id=SECRETARY,
    present=5,
    expected=7,
    scope="college",
    summary="通报承诺进展，安排下月工作",
)


def a_meeting(**changes: object) -> HoldMeeting:
    whole = HoldMeeting.model_validate(HELD.model_dump(exclude={"meeting_id"}))
    return whole.model_copy(update=changes)


def the_chair(**changes: object) -> MeetingFacts:
    known = MeetingFacts(
        occurred_at=MOMENT,
        actor=SECRETARY,
        meeting_id=MEETING,
        campaign=a_running_campaign(),
        member_of={UNIT},
        roles=[(UNIT, "secretary")],
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def a_comment(commentator_id: str | None = None, grade: int | None = 88) -> RecordComment:
    return RecordComment(
        strengths="承诺具体",
        shortcomings="时间节点偏晚",
        directions="每月公布一次进展",
        grade=grade,
        commentator_id=commentator_id,
    )


def the_leader(**changes: object) -> MeetingFacts:
    known = the_chair(actor=LEADER, member_of={OTHER_UNIT}, roles=[(OTHER_UNIT, "lg_member")])
    return replace(known, **changes)  # type: ignore[arg-type]


COMMENTED = CommentRecorded(
    meeting_id=MEETING,
    campaign_id=CAMPAIGN,
    unit_id=UNIT,
    commentator_id=LEADER,
    grade=88,
    scope="college",
    text=CommentText(strengths="承诺具体", shortcomings="时间节点偏晚", directions="每月公布一次进展"),
)


def test_a_meeting_is_held_once_and_says_which_duties_it_meets() -> None:
    """R-32, R-33"""
    given(meeting).knowing(the_chair()).when(a_meeting()).then(HELD)
    given(meeting, HELD).knowing(the_chair()).when(a_meeting()).refused("meeting.held_already", "meeting_id")


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"kind": "seance"}, "kind"),
        ({"scope": "moon"}, "scope"),
        ({"agenda": ("campaign", "gossip")}, "agenda[1]"),
    ],
)
def test_a_key_the_programme_does_not_define_is_refused_where_it_stands(changes: dict[str, object], at: str) -> None:
    given(meeting).knowing(the_chair()).when(a_meeting(**changes)).refused("programme.unknown_key", at)


def test_an_agenda_names_each_duty_once_and_at_least_one() -> None:
    """R-32"""
    twice = a_meeting(agenda=("campaign", "routine", "campaign"))
    given(meeting).knowing(the_chair()).when(twice).refused("meeting.agenda_repeated", "agenda[2]")
    with pytest.raises(ValidationError):
        HoldMeeting.model_validate(HELD.model_dump(exclude={"meeting_id"}) | {"agenda": ()})


def test_no_more_are_present_than_expected() -> None:
    given(meeting).knowing(the_chair()).when(a_meeting(present=8)).refused("meeting.more_than_expected", "present")
    given(meeting).knowing(the_chair()).when(a_meeting(present=7)).decided()


@pytest.mark.parametrize("today", [date(2010, 5, 31), date(2012, 11, 8)])
def test_a_meeting_outside_the_campaign_is_refused(today: date) -> None:
    """R-33"""
    outside = the_chair(campaign=a_running_campaign(today, ends_on=date(2012, 11, 7)))
    given(meeting).knowing(outside).when(a_meeting()).refused("meeting.outside_campaign", "occurred_at")


def test_the_chair_is_a_member_of_the_unit_or_holds_a_role_in_it() -> None:
    stranger = the_chair(member_of={OTHER_UNIT}, roles=[(OTHER_UNIT, "secretary")])
    given(meeting).knowing(stranger).when(a_meeting()).refused("meeting.chair_not_of_unit", "chair_id")
    given(meeting).knowing(the_chair(roles=[])).when(a_meeting()).then(HELD)
    given(meeting).knowing(the_chair(member_of=())).when(a_meeting()).then(HELD)


def test_a_leader_comments_in_three_parts_within_the_scope_of_the_meeting() -> None:
    """R-36"""
    given(meeting, HELD).knowing(the_leader()).when(a_comment()).then(COMMENTED)
    ungraded = COMMENTED.model_copy(update={"grade": None})
    given(meeting, HELD).knowing(the_leader()).when(a_comment(grade=None)).then(ungraded)


@pytest.mark.parametrize("part", ["strengths", "shortcomings", "directions"])
def test_no_part_of_a_comment_is_missing(part: str) -> None:
    """R-36"""
    with pytest.raises(ValidationError):
        RecordComment.model_validate(a_comment().model_dump() | {part: " "})


def test_the_office_records_a_comment_on_its_commentators_behalf() -> None:
    """R-36"""
    by_the_office = the_leader(actor=SECRETARY)
    given(meeting, HELD).knowing(by_the_office).when(a_comment(commentator_id=LEADER)).then(COMMENTED)


def test_a_comment_is_somebodys() -> None:
    by_the_operator = the_leader(actor=None)
    given(meeting, HELD).knowing(by_the_operator).when(a_comment()).refused(
        "comment.commentator_missing", "commentator_id"
    )


def test_only_the_leading_group_comments() -> None:
    """R-36"""
    office = the_leader(roles=[(OTHER_UNIT, "office_director")])
    given(meeting, HELD).knowing(office).when(a_comment()).refused("comment.not_leading_group", "commentator_id")


def test_nobody_comments_on_their_own_unit() -> None:
    """R-36"""
    member = the_leader(member_of={UNIT})
    secretary = the_leader(roles=[(OTHER_UNIT, "lg_head"), (UNIT, "secretary")])
    for own in (member, secretary):
        given(meeting, HELD).knowing(own).when(a_comment()).refused("comment.own_unit", "commentator_id")


def test_each_commentator_comments_once_a_meeting() -> None:
    given(meeting, HELD, COMMENTED).knowing(the_leader()).when(a_comment()).refused(
        "comment.made_already", "commentator_id"
    )
    another = the_leader(actor=SECRETARY)
    (second,) = given(meeting, HELD, COMMENTED).knowing(another).when(a_comment()).decided()
    assert isinstance(second, CommentRecorded)
    assert second.commentator_id == SECRETARY


def test_a_leader_comments_on_the_unit_and_on_each_member_of_it_once() -> None:
    """R-36"""
    on_a_member = a_comment().model_copy(update={"person_id": MEMBER})
    about_them = COMMENTED.model_copy(update={"person_id": MEMBER})
    knowing = the_leader(is_person_member=True)
    given(meeting, HELD, COMMENTED).knowing(knowing).when(on_a_member).then(about_them)
    again = given(meeting, HELD, COMMENTED, about_them).knowing(knowing)
    again.when(on_a_member).refused("comment.made_already", "commentator_id")
    on_another = on_a_member.model_copy(update={"person_id": SECRETARY})
    again.when(on_another).then(COMMENTED.model_copy(update={"person_id": SECRETARY}))


def test_whoever_is_commented_on_is_a_member_of_the_unit_that_day() -> None:
    """R-36"""
    on_a_stranger = a_comment().model_copy(update={"person_id": MEMBER})
    given(meeting, HELD).knowing(the_leader()).when(on_a_stranger).refused("comment.person_not_member", "person_id")


def test_a_meeting_nobody_held_is_unknown() -> None:
    given(meeting).knowing(the_leader()).when(a_comment()).refused("meeting.unknown", "meeting_id")
