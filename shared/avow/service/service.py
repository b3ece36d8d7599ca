"""A running service: its log, its projections, what it publishes, and its ear for the other service.

Promises: `start` leaves it ready to answer or raises; `stop` ends every task and closes every connection. One that
cannot project, or cannot hear the other, keeps answering and says so in its health.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import structlog
from sqlalchemy import Connection, exists, select

from avow.audit.explanation import Explainer
from avow.bus import place, subscribers
from avow.bus.dead import DeadLetters
from avow.bus.feed_client import FeedClient
from avow.bus.follower import Follower
from avow.bus.gathering import ended
from avow.bus.inbox import Inbox
from avow.bus.keys import KeyFetcher, Missing
from avow.bus.live import Listen
from avow.bus.relay import Publisher, Relay
from avow.bus.status import HALTED
from avow.eventlog import reading
from avow.eventlog.append import open_book, read_head
from avow.eventlog.appender import Appender
from avow.eventlog.beacon import Beacon
from avow.eventlog.database import AWAY, Database, PostgresDatabase
from avow.eventlog.erasure import erase_again
from avow.eventlog.execute import Executor
from avow.eventlog.signal import Signal
from avow.eventlog.tables import create_log, event
from avow.eventlog.types import EventTypes
from avow.kernel.message import Event
from avow.kernel.ports import Ports
from avow.projections.projection import Projection
from avow.projections.projector import create_views, position_of
from avow.projections.rebuild import bring_up
from avow.projections.runner import Runner
from avow.projections.scratch import Scratches
from avow.service.progress import Progress, watch
from avow.service.reactions import Reactions, chore_at_work

log = structlog.get_logger(__name__)

Hears = Callable[[str], Listen]
"""How an organisation's events are listened for."""
Chore = Callable[["Service"], Awaitable[None]]
"""Something a service does by itself, once a minute, while its clock is the machine's."""
CHORE_EVERY = 60.0
BOOKS_EVERY = 1.0
"""Seconds between looks for books that were opened beside this process, or restored."""


@dataclass(frozen=True)
class Blueprint:
    """What makes a service the one it is."""

    name: str
    event_types: Sequence[type[Event]]
    projections: Sequence[Projection]
    facts_from: Sequence[str]
    """The projections its decisions read."""
    chores: Sequence[Chore] = ()
    missing_keys: Missing | None = None
    """Which keys of the other service it shows something with and does not have yet."""
    explainers: Mapping[str, Explainer] = field(default_factory=dict)
    """The kinds of figure it can explain, such as `score`."""


@dataclass
class ChoreState:
    """What a chore is at, how many rounds it has done, and how many it could not; `failing` until it has done one."""

    state: Literal["waiting", "running", "failing"] = "waiting"
    rounds: int = 0
    failures: int = 0


@dataclass
class Service:
    """One service over its database."""

    blueprint: Blueprint
    database: Database
    ports: Ports
    orgs: Sequence[str]
    """The organisations whose books are opened at start; every other book in the database is kept as well."""
    grown: Signal = field(default_factory=Signal)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    followers: dict[str, Follower] = field(default_factory=dict)
    relays: dict[str, Relay] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.types = EventTypes(self.blueprint.event_types)
        self.appender = Appender(self.database, self.ports, self.grown)
        self.executor = Executor(self.database, self.appender, self.types, self.ports, self.facts_are_current)
        self.runner = Runner(self.database, self.types, self.blueprint.projections, self.grown)
        self.scratches = Scratches(self.database, self.types)
        self.dead = DeadLetters(self.database, self.ports)
        self.reactions = Reactions(self.dead)
        self.progress = Progress()
        self.chores: dict[str, ChoreState] = {}
        self._beacon: Beacon | None = None
        self._books: set[str] = set()
        self._tending: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._fetchers: list[KeyFetcher] = []

    @property
    def name(self) -> str:
        return self.blueprint.name

    @property
    def books(self) -> Sequence[str]:
        """The organisations with a book here, as far as this process knows."""
        return sorted(self._books)

    def knows(self, org: str) -> bool:
        """Whether an organisation has a book here, as far as this process knows."""
        return org in self._books

    async def start(self) -> None:
        """Create what is missing, open the books asked for, fold what this release folds anew, and begin to project.

        Raises WrongClock for a book, asked for or not, that is kept by the other kind of clock.
        """

        waiting: list[Projection] = []

        def prepare(connection: Connection) -> list[str]:
            create_log(connection)
            place.metadata.create_all(connection)
            subscribers.metadata.create_all(connection)
            waiting[:] = create_views(connection, self.blueprint.projections)
            erase_again(connection)
            books = sorted({*self.orgs, *reading.organisations(connection)})
            for org in books:
                open_book(connection, org, self.name, self.ports)
            return books

        self._books = set(await self.database.write(prepare))
        for projection in waiting:
            await bring_up(self.database, projection, self.types)
        self.runner.start()
        self._tasks.append(asyncio.create_task(watch(self)))
        if isinstance(self.database, PostgresDatabase):
            self._beacon = Beacon(self.database, self.grown, self.ports.new_id())
            self._beacon.start()

    def work(self) -> None:
        """Do the chores, until `stop`."""
        if self.ports.clock.kind == "real":
            self._tasks += [asyncio.create_task(self._repeat(chore)) for chore in self.blueprint.chores]

    def follow(self, client: FeedClient, hears: Hears | None = None) -> None:
        """Import what the other service makes public and fetch the keys that are missing, until `stop_bus`.

        For every organisation that has a book here, or will have. It hears over the feed unless it is told otherwise.
        """
        self._tend(partial(self._follow_each, client, hears))

    def publish(self, publisher: Publisher) -> None:
        """Publish every organisation's public events, until `stop_bus`."""
        self._tend(partial(self._relay_each, publisher))

    async def stop_bus(self) -> None:
        """Hear no more of the other service, and publish no more."""
        for task in self._tending:
            await ended(task)
        for fetcher in self._fetchers:
            await fetcher.stop()
        for follower in self.followers.values():
            await follower.stop()
        for relay in self.relays.values():
            await relay.stop()
        self._tending.clear()
        self._fetchers.clear()
        self.followers.clear()
        self.relays.clear()

    async def stop(self) -> None:
        """End every task, then close the database."""
        self.closing.set()
        self.grown.raise_()
        await self.stop_bus()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._beacon is not None:
            await self._beacon.stop()
        await self.runner.stop()
        await self.scratches.close()
        await self.appender.settled()
        await self.database.close()

    async def has_book(self, org: str) -> bool:
        """Whether this organisation has a book here."""
        if org not in self._books:
            self._books = set(await self.database.read(self._read_books))
        return org in self._books

    async def facts_are_current(self, org: str) -> None:
        """Wait until what decisions read has taken in every event of its own that is in the log.

        Raises Refusal `position.not_reached`.
        """
        chosen = [p for p in self.blueprint.projections if p.name in self.blueprint.facts_from]

        def behind(connection: Connection) -> int:
            for projection in chosen:
                reached = position_of(connection, org, projection) or 0
                news = event.c.org == org, event.c.position > reached, event.c.type.in_(projection.event_types)
                if connection.scalar(select(exists().where(*news))):
                    head = read_head(connection, org)
                    return head.position if head else 0
            return 0

        position = await self.database.read(behind)
        if position:
            await self.runner.reach(org, position, self.blueprint.facts_from)

    def health(self) -> Mapping[str, str]:
        """`ok`, or `degraded` where a view or an import stands still until a person looks, or the database is away."""
        halted = any(follower.status.state in HALTED for follower in self.followers.values())
        return {"status": "degraded" if self.runner.stopped or self.runner.interrupted or halted else "ok"}

    def dead_tasks(self) -> list[str]:
        """Which of its tasks have ended that never should."""
        parts: dict[str, Iterable[bool]] = {
            "projections": [self.runner.alive],
            "import": [follower.alive for follower in self.followers.values()],
            "relay": [relay.alive for relay in self.relays.values()],
            "keys": [fetcher.alive for fetcher in self._fetchers],
            "chores": [not task.done() for task in (*self._tasks, *self._tending)],
        }
        return [name for name, alive in parts.items() if not all(alive)]

    def _read_books(self, connection: Connection) -> list[str]:
        """The organisations with a book here that this process may continue: its clock is of their kind."""
        return reading.organisations(connection, self.ports.clock.kind)

    def _tend(self, each: Callable[[Iterable[str]], None]) -> None:
        each(self._books)
        self._tending.append(asyncio.create_task(self._tend_what_comes(each)))

    async def _tend_what_comes(self, each: Callable[[Iterable[str]], None]) -> None:
        while True:
            await asyncio.sleep(BOOKS_EVERY)
            # While the database is away the runner says so; the next look finds out.
            with suppress(*AWAY):
                each(await self.database.read(self._read_books))

    def _follow_each(self, client: FeedClient, hears: Hears | None, orgs: Iterable[str]) -> None:
        for org in sorted(set(orgs) - self.followers.keys()):
            inbox = Inbox(self.database, self.appender, org)
            paused = partial(self.database.read, partial(place.import_paused, org=org))
            follower = Follower(client, inbox, org, self.ports, None if hears is None else hears(org), paused)
            follower.start()
            self.followers[org] = follower
            if self.blueprint.missing_keys is not None:
                fetcher = KeyFetcher(client, self.database, org, self.blueprint.missing_keys, self.grown)
                fetcher.start()
                self._fetchers.append(fetcher)

    def _relay_each(self, publisher: Publisher, orgs: Iterable[str]) -> None:
        for org in sorted(set(orgs) - self.relays.keys()):
            self.relays[org] = relay = Relay(publisher, self.database, org, self.grown, self.ports)
            relay.start()

    async def _repeat(self, chore: Chore) -> None:
        name = getattr(chore, "__name__", "")
        at = self.chores[name] = ChoreState()
        chore_at_work.set(name)
        while True:
            if at.state == "waiting":
                at.state = "running"
            try:
                await chore(self)
                at.state, at.rounds = "waiting", at.rounds + 1
            except Exception:
                at.state, at.failures = "failing", at.failures + 1
                log.exception("chore.failed", chore=name)
            await asyncio.sleep(CHORE_EVERY)
