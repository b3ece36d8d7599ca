"""The meetings and the comments as they are read (R-33, R-36)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.meeting import CommentText
from avow.contracts.values import Identity, Key
from avow.projections.listing import Listed
from avow_pledge.projections.meeting_register import MeetingRegister, comments, meetings
from avow_pledge.reading.opening import OR_ERASED, opener


class MeetingEntry(BaseModel):
    """A meeting, with the number of comments made there."""

    model_config = ConfigDict(frozen=True)

    meeting_id: str
    campaign_id: str
    unit_id: str
    kind: str
    agenda: list[str]
    chair_id: str
    present: int
    expected: int
    scope: str
    held_at: datetime
    summary: str | None = Field(description=OR_ERASED)
    comments: int
    position: int


class CommentEntry(BaseModel):
    """A leader's comment on a unit, or on the member of it that is named."""

    model_config = ConfigDict(frozen=True)

    meeting_id: str
    unit_id: str
    commentator_id: str
    person_id: str | None
    grade: int | None
    scope: str
    commented_at: datetime
    text: CommentText | str | None = Field(description=OR_ERASED)
    position: int


@dataclass(frozen=True)
class MeetingsWanted:
    """Which meetings are asked for."""

    campaign_id: Identity | None = None
    unit_id: Identity | None = None
    kind: Key | None = None
    chair_id: Identity | None = None
    scope: Key | None = None


@dataclass(frozen=True)
class CommentsWanted:
    """Which comments are asked for."""

    meeting_id: Identity | None = None
    unit_id: Identity | None = None
    commentator_id: Identity | None = None
    person_id: Identity | None = None
    scope: Key | None = None


def _meetings(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[MeetingEntry]:
    summary = opener(connection, org, (row["sealed_summary"] for row in rows))
    return [
        MeetingEntry.model_validate({**row, "summary": summary(row["sealed_summary"], row["summary"])}) for row in rows
    ]


def _comments(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[CommentEntry]:
    text = opener(connection, org, (row["sealed_text"] for row in rows))
    return [CommentEntry.model_validate({**row, "text": text(row["sealed_text"], row["text"])}) for row in rows]


MEETINGS: Listed[MeetingsWanted, MeetingEntry] = Listed(
    name="meetings",
    projections=(MeetingRegister.name,),
    entry=MeetingEntry,
    query=select(meetings.sql(MeetingRegister.version)),
    keys=("meeting_id",),
    order="-position",
    sorts=("position", "held_at", "kind", "unit_id", "present", "expected", "comments"),
    shown=_meetings,
)
COMMENTS: Listed[CommentsWanted, CommentEntry] = Listed(
    name="comments",
    projections=(MeetingRegister.name,),
    entry=CommentEntry,
    query=select(comments.sql(MeetingRegister.version)),
    keys=("meeting_id", "commentator_id", "subject_id"),
    order="-position",
    sorts=("position", "commented_at", "unit_id", "grade"),
    shown=_comments,
)
