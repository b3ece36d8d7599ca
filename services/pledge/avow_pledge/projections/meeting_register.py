"""The meetings that were held, and what leaders said there (R-33, R-36).

Promises: one row a meeting, one a comment. Prose is readable where it was meant for everybody, else it stays sealed.
"""

from avow.contracts.meeting import CommentRecorded, MeetingHeld
from avow.eventlog.records import Recorded
from avow.kernel.seal import Seal
from avow.projections.projection import Projection, Row, document, key, moment, number, on, sealed, table, text

meetings = table(
    "meeting",
    key("meeting_id"),
    text("campaign_id"),
    text("unit_id"),
    text("kind"),
    document("agenda"),
    text("chair_id"),
    number("present"),
    number("expected"),
    text("scope"),
    moment("held_at"),
    text("summary"),
    sealed("sealed_summary"),
    number("comments", 0),
    number("position"),
)
comments = table(
    "meeting_comment",
    key("meeting_id"),
    key("commentator_id"),
    key("subject_id"),
    text("unit_id"),
    text("person_id"),
    number("grade"),
    text("scope"),
    moment("commented_at"),
    document("text"),
    sealed("sealed_text"),
    number("position"),
)


def _subject(event: CommentRecorded, recorded: Recorded) -> str:
    return event.person_id or event.unit_id


class MeetingRegister(Projection):
    """Who met when about what, and the comments made there."""

    name, version = "meeting_register", 2
    tables = (meetings, comments)

    @on(MeetingHeld, row=meetings.at("meeting_id"))
    def held(self, event: MeetingHeld, recorded: Recorded, row: Row) -> None:
        row.update(
            campaign_id=event.campaign_id,
            unit_id=event.unit_id,
            kind=event.kind,
            agenda=list(event.agenda),
            chair_id=event.chair_id,
            present=event.present,
            expected=event.expected,
            scope=event.scope,
            held_at=recorded.occurred_at,
            position=recorded.position,
        )
        row["sealed_summary" if isinstance(event.summary, Seal) else "summary"] = event.summary

    @on(
        CommentRecorded,
        meeting=meetings.at("meeting_id"),
        row=comments.at("meeting_id", "commentator_id", _subject),
    )
    def commented(self, event: CommentRecorded, recorded: Recorded, meeting: Row, row: Row) -> None:
        meeting["comments"] += 1
        row.update(
            unit_id=event.unit_id,
            person_id=event.person_id,
            grade=event.grade,
            scope=event.scope,
            commented_at=recorded.occurred_at,
            position=recorded.position,
        )
        if isinstance(event.text, Seal):
            row["sealed_text"] = event.text
        else:
            row["text"] = event.text.model_dump(mode="json")
