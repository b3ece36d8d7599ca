"""The feed: a log's public events over HTTP, in pages from any sequence, and live as server-sent events.

Promises: every public event once, in order, with everything its leaf was computed from; private and imported events
cast no shadow; a filtered reader learns how far it was scanned for (tests/integration/test_feed_pages.py). A reader
who knows more than the log does is told so, for then the log was restored. A live stream ends by itself, and at once
when the service closes (tests/integration/test_feed_live.py).
Limit: an answer that has begun can only be cut off; a page without its last line is no page.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from avow.bus.format import EVENT_STREAM, HEARTBEAT, NDJSON, FeedHead, PageEnd, frame
from avow.contracts.envelope import encode
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.batch import Head
from avow.eventlog.database import Database
from avow.eventlog.signal import Signal
from avow.kernel.refusal import Refusal, require
from avow.web.responses import READ_RESPONSES, Responses

PART = 500
"""How many events are read, and held in memory, at a time."""
POLL = 0.5
"""Seconds after which the log is looked at even if nobody in this process wrote to it."""
BEAT = 10.0
"""Seconds of silence after which a live reader is told that the stream still stands."""
LAST = 2**53 - 1
TYPES = r"^[a-z_]+(\.[a-z_]+)+(,[a-z_]+(\.[a-z_]+)+)*$"

OrgName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="The organisation whose log is read.")]
After = Annotated[
    int, Query(ge=0, le=LAST, description="The last sequence the reader has; 0 reads from the beginning.")
]
Limit = Annotated[int, Query(ge=1, le=5000, description="The most events a page may hold.")]
Types = Annotated[
    str | None,
    Query(pattern=TYPES, max_length=2000, description="Only these types, separated by commas: `pledge.made`."),
]
Seconds = Annotated[int, Query(ge=1, le=3600, description="When the stream ends by itself; then ask again.")]
LastEventId = Annotated[
    int | None, Header(ge=0, le=LAST, description="The last sequence received; goes before `after`.")
]


@dataclass(frozen=True)
class FeedSource:
    """A service's logs, and the signals that they grew and that the service closes.

    `closing` is set before the server waits for its connections to end; raising `grown` then wakes every stream.
    """

    database: Database
    grown: Signal
    closing: asyncio.Event


def feed_router(log: FeedSource) -> APIRouter:
    """The routes below `/{org}/feed`; they raise Refusal `org.unknown` and `feed.cursor_ahead`."""
    router = APIRouter(tags=["feed"])

    @router.get("/{org}/feed/head", responses=READ_RESPONSES)
    async def feed_head(org: OrgName) -> FeedHead:
        """Whose log this is, and the sequence of its last public event."""
        head = await _head(log, org)
        return FeedHead(log_id=head.log_id, sequence=head.sequence, service=head.service)

    @router.get("/{org}/feed/live", response_class=Response, responses=_stream(EVENT_STREAM, "One event a message."))
    async def feed_live(
        org: OrgName, after: After = 0, seconds: Seconds = 300, last_event_id: LastEventId = None
    ) -> Response:
        """Every public event after a sequence, then each as it is appended; `id` is its sequence."""
        start = after if last_event_id is None else last_event_id
        await _head(log, org, start)
        # Proxies that gather an answer before passing it on would hold back what is meant to be live.
        return StreamingResponse(
            _live(log, org, start, seconds), media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"}
        )

    @router.get("/{org}/feed", response_class=Response, responses=_stream(NDJSON, "One event a line; at last its end."))
    async def feed_page(org: OrgName, after: After = 0, limit: Limit = 1000, types: Types = None) -> Response:
        """A page of public events after a sequence, one a line; the last line says where to go on."""
        head = await _head(log, org, after)
        wanted = None if types is None else types.split(",")
        return StreamingResponse(_page(log, org, head, after, limit, wanted), media_type=NDJSON)

    return router


def _stream(media_type: str, description: str) -> Responses:
    content = {media_type: {"schema": {"type": "string"}}}
    return READ_RESPONSES | {200: {"description": description, "content": content}}


async def _head(log: FeedSource, org: str, after: int = 0) -> Head:
    head = await log.database.glance(lambda connection: read_head(connection, org))
    if head is None:
        raise Refusal("org.unknown", "org", org=org)
    require(after <= head.sequence, "feed.cursor_ahead", "after", after=after, head=head.sequence)
    return head


async def _page(
    log: FeedSource, org: str, head: Head, after: int, limit: int, types: Sequence[str] | None
) -> AsyncIterator[bytes]:
    scanned, left = after, limit
    while left and scanned < head.sequence:
        asked = min(left, PART)
        found = await _lines(log, org, scanned, head.sequence, asked, types)
        scanned = found[-1][0] if len(found) == asked else head.sequence
        left -= len(found)
        if found:
            yield b"".join(line + b"\n" for _, line in found)
    end = PageEnd(scanned_to=scanned, head=head.sequence, log_id=head.log_id)
    yield end.model_dump_json().encode() + b"\n"


async def _live(log: FeedSource, org: str, after: int, seconds: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    said = loop.time()
    yield HEARTBEAT
    while not log.closing.is_set() and (now := loop.time()) < ends:
        seen = log.grown.raised
        found = await _lines(log, org, after, LAST, PART)
        if found:
            after, said = found[-1][0], now
            yield b"".join(frame(sequence, line) for sequence, line in found)
        elif now - said >= BEAT:
            said = now
            yield HEARTBEAT
        if len(found) < PART:
            await log.grown.wait(min(POLL, ends - now), seen)


async def _lines(
    log: FeedSource, org: str, after: int, upto: int, limit: int, types: Sequence[str] | None = None
) -> list[tuple[int, bytes]]:
    def read(connection: Connection) -> list[tuple[int, bytes]]:
        found = reading.envelopes(connection, org, after, upto, types, limit)
        return [(envelope.sequence, encode(envelope)) for envelope in found]

    # What is read is never changed, so no snapshot is needed.
    return await log.database.glance(read)
