"""Meetings and the comments made there (R-32…R-36)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_pledge.domain.meeting import HoldMeeting, RecordComment, meeting
from avow_pledge.facts import meeting_facts
from avow_pledge.reading.meetings import COMMENTS, MEETINGS, CommentsWanted, MeetingsWanted

router = APIRouter(tags=["meetings"], route_class=CommandRoute)


@router.post("/{org}/meetings", status_code=201, responses=COMMAND_RESPONSES)
async def hold_meeting(body: HoldMeeting, call: Call) -> Accepted:
    """Put a meeting on record (R-33)."""
    return await call.create(meeting, body, meeting_facts)


@router.post("/{org}/meetings/{meeting_id}/comments", status_code=201, responses=COMMAND_RESPONSES)
async def record_comment(meeting_id: Identity, body: RecordComment, call: Call) -> Accepted:
    """Put a leader's comment on record; the answer's id is the meeting's (R-36)."""
    return await call.execute(meeting, meeting_id, body, meeting_facts)


@router.get("/{org}/meetings", **listing(MEETINGS))
async def meetings(view: View, wanted: Annotated[MeetingsWanted, Depends()], page: PageAsked) -> Response:
    """The meetings held, newest record first."""
    return await answer(view, MEETINGS, wanted, page)


@router.get("/{org}/comments", **listing(COMMENTS))
async def comments(view: View, wanted: Annotated[CommentsWanted, Depends()], page: PageAsked) -> Response:
    """The leaders' comments, newest record first."""
    return await answer(view, COMMENTS, wanted, page)
