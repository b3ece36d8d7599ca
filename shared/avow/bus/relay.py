"""The relay: publishes a log's public events to the broker, in their order; the log itself is the outbox.

Promises: every public event is published at least once, and the checkpoint moves only over what the broker has
confirmed, so a relay that dies at any moment is taken up where it stood; one relay an organisation is active at a time
(place.py); every wait ends, and whatever breaks is begun anew with a new connection (tests/integration/test_relay.py,
tests/simulation). An event that no queue wants is counted and passed over: the feed has it.
Limit: what was in flight when something broke is published twice; readers know it by its id and its sequence.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, NamedTuple, Protocol

import structlog
from sqlalchemy import Connection

from avow.bus import place
from avow.bus.background import Background
from avow.bus.follower import pause
from avow.bus.gathering import ended
from avow.contracts import moment
from avow.contracts.envelope import LAST, Envelope
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import Database
from avow.eventlog.signal import Signal
from avow.kernel.ports import Ports

WINDOW = 100
"""The most events that are on their way at a time."""
PAGE = 500
CONFIRM = 15.0
"""Seconds the broker may take to confirm, after which the connection is given up: it may be open and dead."""
IDLE = 0.5
"""Seconds after which the log is looked at even if nobody in this process wrote to it."""
BEAT = 1.0
"""Seconds between two notes of how far it is, which also keep its place."""

log = structlog.get_logger(__name__)

RelayState = Literal["starting", "publishing", "standby", "unavailable", "paused"]
"""`standby`: another process publishes; `unavailable`: the broker or the database is away, which passes by itself."""


class _Flying(NamedTuple):
    """An event on its way: its sequence, by when the broker must have it, and what becomes true when it has."""

    sequence: int
    due: float
    task: asyncio.Task[bool]


class BrokerUnavailable(Exception):
    """The broker did not answer, or not as one; `reason` says what happened, without any credential."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Publishing(Protocol):
    """A connection that publishes."""

    async def publish(self, envelope: Envelope) -> bool:
        """True once the broker has the event safe, False where no queue wants it; raises BrokerUnavailable."""

    @property
    def closed(self) -> bool:
        """Whether the connection is known to be gone."""

    async def close(self) -> None:
        """Give the connection up, soon, whatever state it is in."""


class Publisher(Protocol):
    """Opens connections that publish."""

    async def connect(self) -> Publishing:
        """A new connection; raises BrokerUnavailable."""


@dataclass(frozen=True)
class RelayStatus:
    """How a relay stands, since when (UTC), and why it does not publish if it does not.

    `confirmed` is the last sequence the broker has; `unrouted` how many no queue wanted since this process began.
    """

    state: RelayState
    since: str
    confirmed: int = 0
    head: int = 0
    unrouted: int = 0
    reason: str | None = None


class _Displaced(Exception):
    """Another process has taken the place."""


class Relay(Background):
    """Publishes one organisation's events between `start` and `stop`; `status` is for health.

    Once it has stopped, another process may have the place at once.
    """

    def __init__(self, publisher: Publisher, database: Database, org: str, grown: Signal, ports: Ports) -> None:
        self.status = RelayStatus("starting", moment.to_text(ports.clock.now()))
        self._publisher = publisher
        self._database = database
        self._org = org
        self._grown = grown
        self._ports = ports
        self._me = ports.new_id()
        self._failures = 0

    async def _run(self) -> None:
        while True:
            try:
                await self._stand_by()
                await self._publish()
            except _Displaced:
                continue
            except BrokerUnavailable as error:
                self._enter("unavailable", error.reason)
            except Exception as error:
                # The database may be away; the next round finds out.
                log.exception("relay.interrupted", org=self._org)
                self._enter("unavailable", type(error).__name__)
            await asyncio.sleep(pause(self._failures, self._ports))
            self._failures += 1

    async def _stand_by(self) -> None:
        """Return once the place is this relay's."""
        loop = asyncio.get_running_loop()
        seen, since = await self._database.write(partial(place.read, org=self._org)), loop.time()
        while True:
            if seen.paused:
                self._enter("paused", seen.paused)
            elif seen.holder in (None, self._me) or loop.time() - since >= place.PATIENCE:
                if await self._database.write(partial(place.take, org=self._org, seen=seen, holder=self._me)):
                    self._note(confirmed=seen.sequence)
                    return
            else:
                self._enter("standby")
            await asyncio.sleep(BEAT)
            now = await self._database.write(partial(place.read, org=self._org))
            if now != seen:
                seen, since = now, loop.time()

    async def _publish(self) -> None:
        try:
            publishing = await self._publisher.connect()
        except asyncio.CancelledError:
            # Where the broker is away the place is kept: handed back and forth, nobody would be found wanting.
            await self._leave()
            raise
        flying: deque[_Flying] = deque()
        try:
            await self._forward(publishing, flying)
        finally:
            try:
                await asyncio.gather(*(ended(each.task) for each in flying))
                await publishing.close()
            finally:
                await self._leave()

    async def _forward(self, publishing: Publishing, flying: deque[_Flying]) -> None:
        loop = asyncio.get_running_loop()
        due, published = loop.time() + BEAT, self.status.confirmed
        seen, looking = self._grown.raised, self._look(published)
        try:
            while True:
                head, events = await looking
                published = events[-1].sequence if events else published
                more = len(events) == PAGE
                if more:
                    # The next are read while these are on their way.
                    seen, looking = self._grown.raised, self._look(published)
                self._note(head=head)
                self._enter("publishing")
                for envelope in events:
                    while len(flying) >= WINDOW:
                        await self._land(flying)
                    task = asyncio.create_task(publishing.publish(envelope))
                    flying.append(_Flying(envelope.sequence, loop.time() + CONFIRM, task))
                if not more:
                    self._failures = 0
                    await self._idle(flying, seen)
                if loop.time() >= due:
                    await self._keep()
                    due = loop.time() + BEAT
                if publishing.closed:
                    raise BrokerUnavailable("connection.closed")
                if not more:
                    seen, looking = self._grown.raised, self._look(published)
        finally:
            await ended(looking)

    def _look(self, after: int) -> "asyncio.Task[tuple[int, list[Envelope]]]":
        return asyncio.create_task(self._database.glance(partial(self._news, after=after)))

    async def _idle(self, flying: deque[_Flying], seen: int) -> None:
        """Wait until the log has grown, or may have; what was published lands meanwhile."""
        growing = asyncio.create_task(self._grown.wait(IDLE, seen))
        try:
            while flying and (flying[0].task.done() or not growing.done()):
                first = flying[0]
                patience = first.due - asyncio.get_running_loop().time()
                await asyncio.wait({growing, first.task}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if first.task.done() or not growing.done():
                    await self._land(flying)
            await growing
        finally:
            await ended(growing)

    async def _land(self, flying: deque[_Flying]) -> None:
        """Wait until the first of those in flight is confirmed, so that all up to it are."""
        first = flying[0]
        if not first.task.done():
            try:
                async with asyncio.timeout_at(first.due):
                    await asyncio.shield(first.task)
            except TimeoutError as error:
                raise BrokerUnavailable("confirm.missing") from error
        confirmed, unrouted = self.status.confirmed, self.status.unrouted
        try:
            while flying and flying[0].task.done():
                unrouted += not flying[0].task.result()
                confirmed = flying.popleft().sequence
        finally:
            self._note(confirmed=confirmed, unrouted=unrouted)

    def _news(self, connection: Connection, after: int) -> tuple[int, list[Envelope]]:
        """Where the log ends, and what of it comes after a sequence."""
        events = reading.envelopes(connection, self._org, after, LAST, None, PAGE)
        if 0 < len(events) < PAGE:
            return events[-1].sequence, events
        head = read_head(connection, self._org)
        return 0 if head is None else head.sequence, events

    async def _keep(self) -> None:
        """Note how far it is; raises _Displaced where the place is another's by now, or nobody's."""
        work = partial(place.keep, org=self._org, holder=self._me, sequence=self.status.confirmed)
        if not await self._database.write(work):
            raise _Displaced

    async def _leave(self) -> None:
        """Note how far it is, and let the next one have the place; while the database is away it waits for it."""
        try:
            work = partial(place.leave, org=self._org, holder=self._me, sequence=self.status.confirmed)
            await self._database.write(work)
        except Exception as error:  # noqa: BLE001 - whoever comes next begins where the last note says
            log.warning("relay.place_not_left", org=self._org, reason=type(error).__name__)

    def _note(self, **seen: int) -> None:
        self.status = replace(self.status, **seen)  # type: ignore[arg-type]

    def _enter(self, state: RelayState, reason: str | None = None) -> None:
        if (state, reason) != (self.status.state, self.status.reason):
            self.status = replace(
                self.status, state=state, reason=reason, since=moment.to_text(self._ports.clock.now())
            )
            level = logging.WARNING if state == "unavailable" else logging.INFO
            # Why it is paused is a person's own words.
            told = None if state == "paused" else reason
            log.log(level, "relay.state", org=self._org, state=state, reason=told)
