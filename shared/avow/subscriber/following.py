"""Following one log: first over the feed by pages, then live, over the feed's stream or a queue.

Promises: each event that is wanted once and in its order. Sequences are dense, so that unfiltered a gap is seen and
fetched; where a filter makes gaps usual, a queue only says that there is news, and the feed says what, up to the
sequence it was scanned for. Every few seconds the feed is compared with, which also finds a last event that got lost,
and a log that is no longer the one it was. Each wait ends, and what passes by itself is waited for
(tests/integration/test_subscriber_feed.py, tests/integration/test_subscriber_queue.py).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from avow.bus.feed_client import FeedClient, FeedPage, FeedUnavailable
from avow.bus.gathering import Gathering
from avow.contracts.envelope import Envelope, NotAnEnvelope, decode
from avow.kernel.ports import Ports
from avow.subscriber.heard import Hearing, Line
from avow.subscriber.place import LogKey, Place
from avow.subscriber.problem import LeafBroken, LogReplaced, LogRestored, NotAdmitted
from avow.subscriber.received import Received, Types
from avow.subscriber.source import Source
from avow.subscriber.start import Start

log = logging.getLogger("avow.subscriber")

_PORTS = Ports()
NOT_ADMITTED = frozenset({"auth.required", "auth.forbidden", "org.unknown"})


@dataclass(frozen=True)
class Pace:
    """Seconds, but for `page`: the most events of a batch."""

    page: int = 500
    compare_every: float = 5.0
    shortest_pause: float = 0.2
    longest_pause: float = 15.0

    def pause(self, failures: int) -> float:
        """How long to wait before the next try: longer each time, and drawn by lot so that many do not come at once."""
        longest = min(self.longest_pause, self.shortest_pause * (2 << min(failures, 12)))
        return self.shortest_pause + (longest - self.shortest_pause) * int.from_bytes(_PORTS.random_bytes(2)) / 0xFFFF


class Following:
    """Reads one log from where the subscriber is; `places` are those of its checkpoint."""

    def __init__(
        self,
        source: Source,
        types: Types,
        start: Start,
        places: Mapping[LogKey, Place],
        hearing: Hearing | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._source = source
        self._types = types
        self._start = start
        self._places = places
        self._hearing = hearing
        self._pace = pace or Pace()
        self._client = FeedClient(source.url, source.token)
        self._place: Place | None = None
        self._reached = 0
        self._failures = 0

    async def batches(self) -> AsyncGenerator[Place | list[Received], None]:
        """Where it begins, if that is to be kept; then events, those that come together in one list.

        Raises SubscriptionEnded.
        """
        async with self._client:
            while True:
                try:
                    if self._place is None:
                        fresh, self._place = await self._begin()
                        self._reached = self._place.sequence
                        if fresh:
                            yield self._place
                    await self._meet()
                    for reading in (self._pages(), self._live()):
                        async with aclosing(reading) as batches:
                            async for batch in batches:
                                yield batch
                        self._failures = 0
                except FeedUnavailable as error:
                    if error.reason in NOT_ADMITTED:
                        raise NotAdmitted(self._source.url, self._source.org, error.reason) from error
                    level = logging.DEBUG if self._failures else logging.WARNING
                    log.log(level, "%s is not to be had (%s); trying again", self._source.url, error.reason)
                await asyncio.sleep(self._pace.pause(self._failures))
                self._failures += 1

    async def _begin(self) -> tuple[bool, Place]:
        """Whether the subscriber is here for the first time, and the place it goes on from."""
        head = await self._client.head(self._source.org)
        kept = self._places.get(LogKey(self._source.org, head.service))
        if kept is not None:
            return False, kept
        sequence = await self._first(head.sequence) - 1
        leaf = None if sequence == 0 else (await self._envelope(sequence)).leaf
        return True, Place(self._source.org, head.service, head.log_id, sequence, leaf)

    async def _first(self, head: int) -> int:
        """The first sequence that is wanted."""
        if self._start.moment is None:
            if self._start.sequence is not None and self._start.sequence > head + 1:
                raise ValueError(f"Start.at({self._start.sequence}): the log ends at {head}")
            return self._start.sequence or head + 1
        before, first = 0, head + 1
        while first - before > 1:
            middle = (before + first) // 2
            if (await self._envelope(middle)).recorded_at < self._start.moment:
                before = middle
            else:
                first = middle
        return first

    async def _envelope(self, sequence: int) -> Envelope:
        page = await self._client.page(self._source.org, sequence - 1, 1)
        return self._sound(page.lines[0], sequence)

    async def _meet(self) -> int:
        """Where the log ends, once it is known to be the one that was read so far."""
        place = self._place
        assert place is not None
        try:
            page = await self._client.page(place.org, max(0, place.sequence - 1), 1)
        except FeedUnavailable as error:
            if error.reason != "feed.cursor_ahead":
                raise
            page = FeedPage((), 0, (await self._client.head(place.org)).sequence, place.log_id)
        if page.log_id != place.log_id:
            raise LogReplaced(place.log, f"{place.log_id} → {page.log_id}")
        if page.head < self._reached:
            raise LogRestored(place.log, self._reached, page.head)
        if place.sequence and self._sound(page.lines[0], place.sequence).leaf != place.leaf:
            raise LogReplaced(place.log, f"sequence {place.sequence}")
        return page.head

    async def _pages(self) -> AsyncGenerator[list[Received], None]:
        """What is wanted from where it is to the end of the log."""
        place = self._place
        assert place is not None
        while True:
            page = await self._client.page(place.org, self._reached, self._pace.page, self._types.names)
            if page.log_id != place.log_id:
                raise LogReplaced(place.log, f"{place.log_id} → {page.log_id}")
            events = [self._sound(line, self._reached + 1) for line in page.lines]
            before = self._reached
            if self._types.names is None and len(events) != page.scanned_to - before:
                raise FeedUnavailable("feed.incomplete")
            self._reached = page.scanned_to
            if batch := self._batch(events, before):
                yield batch
            if page.scanned_to >= page.head:
                return

    async def _live(self) -> AsyncGenerator[list[Received], None]:
        """What is said from now on, until something is missing or the stream ends."""
        assert self._place is not None
        line = None if self._hearing is None else self._hearing.line(self._place.log)
        reading = self._streamed(line) if line is None or not line.connected else self._heard(line)
        async with aclosing(reading) as batches:
            async for batch in batches:
                yield batch

    async def _streamed(self, line: Line | None) -> AsyncGenerator[list[Received], None]:
        """What the feed's stream says; where there is a queue, until that can be heard again."""
        loop = asyncio.get_running_loop()
        promised, due = 0, loop.time() + self._pace.compare_every
        stream = Gathering(self._client.live(self._source.org, self._reached), self._pace.page)
        try:
            while (lines := await stream.take(max(0.0, due - loop.time()))) is not None:
                events = [self._sound(each) for each in lines]
                for chunk in _chunks(events, self._pace.page):
                    dense, whole = _dense(chunk, self._reached)
                    before = self._reached
                    self._reached += len(dense)
                    if batch := self._batch(dense, before):
                        yield batch
                    if not whole:
                        return
                if loop.time() >= due:
                    head = await self._meet()
                    if self._reached < promised or (line is not None and line.connected):
                        return
                    promised, due = head, loop.time() + self._pace.compare_every
        finally:
            await stream.close()

    async def _heard(self, line: Line) -> AsyncGenerator[list[Received], None]:
        """What the queue says, as long as it can be heard."""
        assert self._place is not None
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            heard = await line.take(max(0.0, due - loop.time()))
            news = [each for each in heard if each.sequence > self._reached and each.log_id == self._place.log_id]
            missing = bool(news)
            if self._types.names is None:
                dense, whole = _dense(news, self._reached)
                before, missing = self._reached, not whole
                self._reached += len(dense)
                for chunk in _chunks(dense, self._pace.page):
                    if batch := self._batch(chunk, before):
                        yield batch
            if loop.time() >= due:
                missing = await self._meet() > self._reached or missing
                if not line.connected:
                    return
                due = loop.time() + self._pace.compare_every
            if missing:
                async with aclosing(self._pages()) as pages:
                    async for batch in pages:
                        yield batch

    def _batch(self, events: Sequence[Envelope], after: int) -> list[Received]:
        """The events as they are handed on; raises what makes them unfit."""
        assert self._place is not None
        batch = []
        for event in events:
            if (event.log_id, event.org) != (self._place.log_id, self._place.org) or event.sequence <= after:
                raise LeafBroken(self._place.log, event.sequence)
            after = event.sequence
            if self._types.wants(event):
                batch.append(self._types.read(event))
        if batch:
            self._place = batch[-1].place
        return batch

    def _sound(self, line: bytes, near: int = 0) -> Envelope:
        """The event of a line of the feed; raises LeafBroken."""
        try:
            event = decode(line)
        except NotAnEnvelope as error:
            raise LeafBroken(self._log, near or self._reached + 1) from error
        if not event.leaf_holds():
            raise LeafBroken(self._log, event.sequence)
        return event

    @property
    def _log(self) -> LogKey:
        return LogKey(self._source.org, self._source.url) if self._place is None else self._place.log


def _dense(events: Sequence[Envelope], reached: int) -> tuple[list[Envelope], bool]:
    """Those that follow on `reached` one by one, and whether none is left beyond a gap."""
    following: list[Envelope] = []
    for event in sorted(events, key=lambda event: event.sequence):
        if event.sequence == reached + 1 + len(following):
            following.append(event)
        elif event.sequence > reached + len(following):
            return following, False
    return following, True


def _chunks(events: Sequence[Envelope], size: int) -> list[Sequence[Envelope]]:
    return [events[start : start + size] for start in range(0, len(events), size)]
