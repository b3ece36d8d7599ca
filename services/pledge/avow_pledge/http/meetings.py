"""Meetings and the comments made there (R-32…R-36)."""

from fastapi import APIRouter

from avow.contracts.values import Identity, Key
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterPosition, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.meeting import HoldMeeting, RecordComment, meeting
from avow_pledge.facts import meeting_facts
from avow_pledge.projections.meeting_register import MeetingRegister
from avow_pledge.reading.meetings import CommentEntry, MeetingEntry, comment_entries, meeting_entries

router = APIRouter(tags=["meetings"], route_class=CommandRoute)


@router.post("/{org}/meetings", status_code=201, responses=COMMAND_RESPONSES)
async def hold_meeting(body: HoldMeeting, call: Call) -> Accepted:
    """Put a meeting on record (R-33)."""
    return await call.create(meeting, body, meeting_facts)


@router.post("/{org}/meetings/{meeting_id}/comments", status_code=201, responses=COMMAND_RESPONSES)
async def record_comment(meeting_id: Identity, body: RecordComment, call: Call) -> Accepted:
    """Put a leader's comment on record; the answer's id is the meeting's (R-36)."""
    return await call.execute(meeting, meeting_id, body, meeting_facts)


@router.get("/{org}/meetings", responses=READ_RESPONSES)
async def meetings(
    view: View,
    campaign_id: Identity | None = None,
    unit_id: Identity | None = None,
    kind: Key | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[MeetingEntry]:
    """The meetings held, newest record first."""
    return await view.list(
        MeetingRegister.name,
        lambda connection: meeting_entries(connection, view.org, campaign_id, unit_id, kind, after=after, limit=limit),
        next_page(limit, lambda entry: entry.position),
    )


@router.get("/{org}/comments", responses=READ_RESPONSES)
async def comments(
    view: View,
    meeting_id: Identity | None = None,
    unit_id: Identity | None = None,
    commentator_id: Identity | None = None,
    person_id: Identity | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[CommentEntry]:
    """The leaders' comments, newest record first."""
    return await view.list(
        MeetingRegister.name,
        lambda connection: comment_entries(
            connection, view.org, meeting_id, unit_id, commentator_id, person_id, after=after, limit=limit
        ),
        next_page(limit, lambda entry: entry.position),
    )
