"""The meetings and the comments as they are read (R-33, R-36)."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from avow.contracts.meeting import CommentText
from avow_pledge.projections.meeting_register import MeetingRegister, comments, meetings
from avow_pledge.reading.opening import OR_ERASED, opener
from avow_pledge.reading.paging import newest_first


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


def meeting_entries(
    connection: Connection,
    org: str,
    campaign_id: str | None = None,
    unit_id: str | None = None,
    kind: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[MeetingEntry]:
    """The meetings, newest record first; `after` is the position the page before ended at."""
    sql = meetings.sql(MeetingRegister.version)
    query = newest_first(sql, org, {"campaign_id": campaign_id, "unit_id": unit_id, "kind": kind}, after, limit)
    rows = connection.execute(query).mappings().all()
    summary = opener(connection, org, (row["sealed_summary"] for row in rows))
    return [
        MeetingEntry.model_validate({**row, "summary": summary(row["sealed_summary"], row["summary"])}) for row in rows
    ]


def comment_entries(
    connection: Connection,
    org: str,
    meeting_id: str | None = None,
    unit_id: str | None = None,
    commentator_id: str | None = None,
    person_id: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[CommentEntry]:
    """The comments, newest record first; `after` is the position the page before ended at."""
    sql = comments.sql(MeetingRegister.version)
    wanted = {"meeting_id": meeting_id, "unit_id": unit_id, "commentator_id": commentator_id, "person_id": person_id}
    rows = connection.execute(newest_first(sql, org, wanted, after, limit)).mappings().all()
    text = opener(connection, org, (row["sealed_text"] for row in rows))
    return [CommentEntry.model_validate({**row, "text": text(row["sealed_text"], row["text"])}) for row in rows]
