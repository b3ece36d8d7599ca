"""Meetings about progress and the leaders' comments made there (R-33, R-36)."""

from typing import Annotated

from avow.contracts.values import Identity, Key
from avow.kernel.message import Prose, PublicEvent, Value
from avow.kernel.seal import Seal, SealedUnder


class MeetingHeld(PublicEvent, type="meeting.held"):
    """A unit met; the agenda's tags say which duties the meeting meets (R-32)."""

    meeting_id: Identity
    campaign_id: Identity
    unit_id: Identity
    kind: Key
    agenda: tuple[Key, ...]
    chair_id: Identity
    present: int
    expected: int
    scope: Key
    summary: Annotated[Prose | Seal, SealedUnder("scope/{scope}/{unit_id}")]


class CommentText(Value):
    """The three parts of a leader's comment, none of which may be missing (R-36)."""

    strengths: Prose
    shortcomings: Prose
    directions: Prose


class CommentRecorded(PublicEvent, type="comment.recorded"):
    """A member of the leading group commented on a unit's progress at a meeting (R-36).

    `grade`, where given, is out of 100; `person_id` is the member of the unit the comment is about, null where it is
    about the unit.
    """

    meeting_id: Identity
    campaign_id: Identity
    unit_id: Identity
    commentator_id: Identity
    grade: int | None
    scope: Key
    text: Annotated[CommentText | Seal, SealedUnder("scope/{scope}/{unit_id}")]
    person_id: Identity | None = None
