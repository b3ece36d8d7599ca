"""The follower: keeps an inbox at the end of another service's log, and says how that goes.

Promises: it catches up over the feed by pages, then listens live, to the feed or to a queue; whatever breaks or is
missing, it starts again from what is imported, so nothing is missed and nothing doubled; a last event that got lost is
found by asking the feed for its head. A log at the source
that is not the one imported from, or no longer what it was, is never imported from: that is for a person to look at,
and the first sequence at which it says something else is named
(tests/integration/test_feed_follower.py).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog

from avow.bus.background import Background
from avow.bus.feed_client import FeedClient, FeedPage, FeedUnavailable
from avow.bus.gathering import Gathering, ended
from avow.bus.inbox import Inbox, Read
from avow.bus.live import Listen
from avow.bus.status import HALTED, State, Status
from avow.bus.taken import Taken
from avow.contracts import envelope, moment
from avow.contracts.envelope import Envelope, NotAnEnvelope
from avow.eventlog.signal import Signal
from avow.kernel.ports import Ports

PAGE = 500
COMPARE_EVERY = 5.0
"""Seconds between looks at the feed's head while the stream stands."""
BACKLOG = 5_000
"""From so many events behind on, pages are quicker than what comes one by one."""
LOOK = 1.0
"""Seconds between looks whether a person has paused the import."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two tries, longer from failure to failure, and drawn by lot so that many do not come at once."""

_LEVELS = {**dict.fromkeys(HALTED, logging.ERROR), "unavailable": logging.WARNING}

log = structlog.get_logger(__name__)


class _Halted(Exception):
    """The import cannot go on as things are."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class _Paused(Exception):
    """A person wants the import to stand still."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Paused = Callable[[], Awaitable[str | None]]
"""Says why the import is paused, if it is."""


async def never_paused() -> None:
    """Of an import that nobody pauses."""


class Follower(Background):
    """Follows one organisation's log at another service between `start` and `stop`; `status` is for health.

    It listens to the feed unless it is told otherwise, and stands still while `paused` gives a reason.
    """

    def __init__(
        self,
        client: FeedClient,
        inbox: Inbox,
        org: str,
        ports: Ports,
        listen: Listen | None = None,
        paused: Paused = never_paused,
    ) -> None:
        self.status = Status("starting", moment.to_text(ports.clock.now()))
        self.taken: Counter[str] = Counter()
        """How many lines were offered to the inbox, by what became of them."""
        self._client = client
        self._inbox = inbox
        self._org = org
        self._ports = ports
        self._listen_from = listen or (lambda after: Gathering(client.live(org, after), PAGE))
        self._paused = paused
        self._look_due = 0.0
        self.moved = Signal()
        """Raised whenever `status` changes."""
        self._failures = 0

    async def caught_up(self, sequence: int, patience: float = 10.0) -> None:
        """Wait until the source's event with this sequence is imported; TimeoutError after `patience` seconds."""
        async with asyncio.timeout(patience):
            while self.status.imported_sequence < sequence:
                await self.moved.wait(patience)

    async def _run(self) -> None:
        while True:
            try:
                await self._catch_up()
                self._failures = 0
                await self._listen()
            except _Paused as paused:
                self._enter("paused", paused.reason)
                await asyncio.sleep(LOOK)
                continue
            except _Halted as halt:
                self._enter(halt.state, halt.reason)
            except FeedUnavailable as error:
                self._enter("unavailable", error.reason)
            except Exception as error:
                # The database may be away; the next round finds out.
                log.exception("import.interrupted", org=self._org)
                self._enter("unavailable", type(error).__name__)
            await asyncio.sleep(pause(self._failures, self._ports))
            self._failures += 1

    async def _stand_still_if_paused(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._look_due:
            if (reason := await self._paused()) is not None:
                raise _Paused(reason)
            self._look_due = now + LOOK

    async def _catch_up(self) -> None:
        await self._stand_still_if_paused()
        last = await self._meet_source()
        # The first page begins with the last event imported, to see whether the source still says the same.
        after = 0 if last is None else last.sequence - 1
        fetching = asyncio.create_task(self._page(after))
        taking: asyncio.Task[None] | None = None
        try:
            while True:
                page = await fetching
                more = page.scanned_to < page.head
                if more:
                    # The source reads the next page while this one is read here, and the one before is committed.
                    fetching = asyncio.create_task(self._page(page.scanned_to))
                read = self._inbox.read(page.lines)
                if taking is not None:
                    await taking
                taking = asyncio.create_task(self._take_page(page, read, last))
                last = None
                if not more:
                    return await taking
                await self._stand_still_if_paused()
                self._enter("catching_up")
        finally:
            await ended(fetching)
            if taking is not None:
                await ended(taking)

    async def _page(self, after: int) -> FeedPage:
        return await self._client.page(self._org, after, PAGE)

    async def _take_page(self, page: FeedPage, read: Sequence[Read], last: Envelope | None) -> None:
        if page.log_id != self.status.log_id:
            raise _Halted("source_changed", f"the source's log is now {page.log_id}")
        if last is not None and not _says_again(page.lines, last):
            raise await self._differing(last.log_id, last.sequence)
        self._note(source_head=page.head)
        await self._take(read)
        if self.status.imported_sequence < page.scanned_to:
            raise _Halted("source_unsound", f"sequence {self.status.imported_sequence + 1} of the source is unsound")

    async def _listen(self) -> None:
        self._enter("live")
        loop = asyncio.get_running_loop()
        promised, due = 0, loop.time() + COMPARE_EVERY
        live = self._listen_from(self.status.imported_sequence)
        try:
            while (lines := await live.take(max(0.0, min(due - loop.time(), LOOK)))) is not None:
                await self._stand_still_if_paused()
                if lines:
                    taken = await self._take(self._inbox.read(lines))
                    await live.settle(taken)
                    if taken.missing or taken.refused:
                        return
                if loop.time() >= due:
                    await self._meet_source()
                    if self.status.imported_sequence < promised:
                        log.warning("import.event_lost", org=self._org, sequence=self.status.imported_sequence + 1)
                        return
                    if self.status.source_head - self.status.imported_sequence > BACKLOG:
                        return
                    promised, due = self.status.source_head, loop.time() + COMPARE_EVERY
        finally:
            await live.close()

    async def _meet_source(self) -> Envelope | None:
        """The last event imported from the source, whose log must be the one it comes from and reach as far."""
        head = await self._client.head(self._org)
        last = (await self._inbox.sources()).get(head.service)
        if last is not None and last.log_id != head.log_id:
            raise _Halted("source_changed", f"the source's log is now {head.log_id}")
        imported = 0 if last is None else last.sequence
        self._note(log_id=head.log_id, source_head=head.sequence, imported_sequence=imported)
        if last is not None and head.sequence < imported:
            if not await self._agrees(head.log_id, head.sequence):
                raise await self._differing(head.log_id, head.sequence)
            raise _Halted("source_behind", f"the source's log ends at {head.sequence}")
        return last

    async def _agrees(self, log_id: UUID, sequence: int) -> bool:
        """Whether the source still says at `sequence` what was imported; both have events up to there."""
        if sequence == 0:
            return True
        copy = await self._inbox.copy(log_id, sequence)
        page = await self._client.page(self._org, sequence - 1, 1)
        return page.log_id == log_id and copy is not None and _says_again(page.lines, copy)

    async def _differing(self, log_id: UUID, sequence: int) -> _Halted:
        """Why the import halts: the source differs at `sequence`, and how far back it does.

        A log that was restored and written on differs from one sequence to its end, so that one is found by halving.
        """
        agreed, differs = 0, sequence
        while differs - agreed > 1:
            middle = (agreed + differs) // 2
            if await self._agrees(log_id, middle):
                agreed = middle
            else:
                differs = middle
        return _Halted("source_changed", f"the source says something else from sequence {differs} on")

    async def _take(self, read: Sequence[Read]) -> Taken:
        """What became of the lines; also when cancelled it lasts until that is settled."""
        taking = asyncio.create_task(self._take_in(read))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await asyncio.gather(taking, return_exceptions=True)
            raise

    async def _take_in(self, read: Sequence[Read]) -> Taken:
        taken = await self._inbox.take_in(read)
        self.taken.update(imported=taken.imported, duplicate=taken.duplicates, refused=taken.rejected)
        self._note(imported_sequence=max(taken.reached, self.status.imported_sequence))
        return taken

    def _note(self, **seen: Any) -> None:
        self.status = replace(self.status, **seen)
        self.moved.raise_()

    def _enter(self, state: State, reason: str | None = None) -> None:
        if state == "unavailable" and self.status.state in HALTED:
            # A halt is lifted by a source that is found to be in order, not by one that does not answer.
            return
        if (state, reason) != (self.status.state, self.status.reason):
            self._note(state=state, reason=reason, since=moment.to_text(self._ports.clock.now()))
            # Why it is paused is a person's own words.
            told = None if state == "paused" else reason
            log.log(_LEVELS.get(state, logging.INFO), "import.state", org=self._org, state=state, reason=told)


def pause(failures: int, ports: Ports) -> float:
    """Seconds to wait before the next try."""
    longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * (2 << min(failures, 8)))
    return SHORTEST_PAUSE + (longest - SHORTEST_PAUSE) * int.from_bytes(ports.random_bytes(2)) / 0xFFFF


def _says_again(lines: Sequence[bytes], last: Envelope) -> bool:
    try:
        return bool(lines) and envelope.decode(lines[0]).leaf == last.leaf
    except NotAnEnvelope:
        return False
