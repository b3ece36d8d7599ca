"""A meeting about progress, and the leaders' comments made there (R-32…R-36).

Promises: its kind and its agenda are in the programme's words and its day lies within the campaign; a comment has its
three parts and comes from a member of the leading group, about a unit not their own or a member of it, about each once
a meeting.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

from pydantic import Field

from avow.contracts.meeting import CommentRecorded, CommentText, MeetingHeld
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Prose
from avow.kernel.refusal import Refusal, require
from avow.programme.choice import choose
from avow.programme.vocabulary import find
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.role import SECRETARY

Heads = Annotated[int, Field(ge=1, le=1_000_000)]


class HoldMeeting(Command):
    """Put a meeting on record; `agenda` holds the programme's tags, each once."""

    campaign_id: Identity
    unit_id: Identity
    kind: Key
    agenda: Annotated[tuple[Key, ...], Field(min_length=1, max_length=20)]
    chair_id: Identity
    present: Heads
    expected: Heads
    scope: Key
    summary: Prose


class RecordComment(Command):
    """Put a leader's comment on record: `commentator_id` where the office does it on the leader's behalf.

    `person_id` is the member of the unit it is about; without one it is about the unit.
    """

    strengths: Prose
    shortcomings: Prose
    directions: Prose
    grade: Annotated[int, Field(ge=0, le=100)] | None = None
    commentator_id: Identity | None = None
    person_id: Identity | None = None


MeetingCommand = HoldMeeting | RecordComment
MeetingEvent = MeetingHeld | CommentRecorded


@dataclass(frozen=True)
class Meeting:
    """What the next decision needs."""

    held: MeetingHeld | None = None
    commented: frozenset[tuple[str, str | None]] = frozenset()
    """Who commented, and on whom; on nobody stands for the unit."""


@dataclass(frozen=True, kw_only=True)
class MeetingFacts(Facts):
    """The campaign, and where the chair or the commentator belongs at that moment: their units, and the (unit, role)
    pairs they hold; and whether the person commented on is a member of the unit."""

    meeting_id: str
    campaign: RunningCampaign
    member_of: Collection[str] = ()
    roles: Collection[tuple[str, str]] = ()
    is_person_member: bool = False


def decide(command: MeetingCommand, meeting: Meeting, facts: MeetingFacts) -> list[MeetingEvent]:
    match command:
        case HoldMeeting():
            require(meeting.held is None, "meeting.held_already", "meeting_id")
            require(facts.campaign.includes(facts.campaign.today), "meeting.outside_campaign", "occurred_at")
            _require_known(command, facts)
            require(command.present <= command.expected, "meeting.more_than_expected", "present")
            belongs = command.unit_id in facts.member_of or any(unit == command.unit_id for unit, _ in facts.roles)
            require(belongs, "meeting.chair_not_of_unit", "chair_id")
            return [_held(command, facts)]
        case RecordComment():
            if meeting.held is None:
                raise Refusal("meeting.unknown", "meeting_id")
            commentator = command.commentator_id or facts.actor
            if commentator is None:
                raise Refusal("comment.commentator_missing", "commentator_id")
            _require_commentator(commentator, meeting.held, facts)
            require(command.person_id is None or facts.is_person_member, "comment.person_not_member", "person_id")
            again = (commentator, command.person_id) in meeting.commented
            require(not again, "comment.made_already", "commentator_id")
            return [_comment(command, commentator, meeting.held)]


def evolve(meeting: Meeting, event: MeetingEvent) -> Meeting:
    match event:
        case MeetingHeld():
            return Meeting(held=event)
        case CommentRecorded():
            return replace(meeting, commented=meeting.commented | {(event.commentator_id, event.person_id)})


meeting: Decider[MeetingCommand, Meeting, MeetingFacts, MeetingEvent] = Decider(
    stream="meeting",
    initial=Meeting(),
    decide=decide,
    evolve=evolve,
    events=(MeetingHeld, CommentRecorded),
)


def _require_known(command: HoldMeeting, facts: MeetingFacts) -> None:
    """Kind, scope and agenda are the programme's, and no tag stands twice (R-32)."""
    programme = facts.campaign.programme
    choose(programme.meeting_kind, command.kind, "kind")
    choose(programme.scope, command.scope, "scope")
    for n, tag in enumerate(command.agenda):
        choose(partial(find, programme.agenda_tags, kind="agenda_tags"), tag, f"agenda[{n}]")
        require(tag not in command.agenda[:n], "meeting.agenda_repeated", f"agenda[{n}]")


def _require_commentator(commentator: str, held: MeetingHeld, facts: MeetingFacts) -> None:
    """Somebody of the leading group at that moment, neither member nor secretary of the unit (R-36)."""
    leads = {role for _, role in facts.roles} & set(facts.campaign.programme.leading_group_roles)
    own = held.unit_id in facts.member_of or (held.unit_id, SECRETARY) in facts.roles
    require(leads, "comment.not_leading_group", "commentator_id")
    require(not own, "comment.own_unit", "commentator_id")


def _held(command: HoldMeeting, facts: MeetingFacts) -> MeetingHeld:
    return MeetingHeld(
        meeting_id=facts.meeting_id,
        campaign_id=command.campaign_id,
        unit_id=command.unit_id,
        kind=command.kind,
        agenda=command.agenda,
        chair_id=command.chair_id,
        present=command.present,
        expected=command.expected,
        scope=command.scope,
        summary=command.summary,
    )


def _comment(command: RecordComment, commentator: str, held: MeetingHeld) -> CommentRecorded:
    return CommentRecorded(
        meeting_id=held.meeting_id,
        campaign_id=held.campaign_id,
        unit_id=held.unit_id,
        commentator_id=commentator,
        grade=command.grade,
        scope=held.scope,
        text=CommentText(strengths=command.strengths, shortcomings=command.shortcomings, directions=command.directions),
        person_id=command.person_id,
    )
