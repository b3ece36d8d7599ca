"""A log to test on, and events to put into it.

    async with a_log(url) as log:
        await log.append(proposed(a_unit(1)), proposed(a_person(2, "钟若岚")))

The ports are a simulated clock that stands at `START` and seeded randomness, unless others are given.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, select

from avow.contracts.book import BookOpened
from avow.contracts.envelope import Envelope, encode
from avow.contracts.organisation import MemberEnrolled, MemberLeft, PersonRegistered, UnitRegistered
from avow.eventlog import reading
from avow.eventlog.append import open_book, read_head
from avow.eventlog.appender import Appender
from avow.eventlog.batch import Head
from avow.eventlog.database import PATIENT, Database, Patience, open_database
from avow.eventlog.execute import Executor
from avow.eventlog.records import Appended, Context, Import, Proposed, Recorded
from avow.eventlog.signal import Signal
from avow.eventlog.tables import create_log, event
from avow.eventlog.types import EventTypes
from avow.kernel.message import Event, PrivateEvent
from avow.kernel.ports import ClockKind, Ports, SimulatedClock, seeded

ORG = "demo"
START = datetime(2010, 6, 1, 8, 30, 0, 123456, tzinfo=UTC)


class Noted(PrivateEvent, type="note.noted"):
    """A private event of the tests' own."""

    text: str


RECORD = Recorded(
    position=9,
    stream="note/4f0c",
    version=1,
    id_as_stored=UUID(int=1),
    type="note.noted",
    schema=1,
    time_as_stored=START,
    data=b'{"text":"a"}',
    sealed=None,
    log_id=None,
)
"""The record of a note, to be altered with `_replace`."""

TYPES: tuple[type[Event], ...] = (BookOpened, UnitRegistered, PersonRegistered, MemberEnrolled, MemberLeft, Noted)


class LooseClock:
    """A clock that can be set to any time, as a machine's can."""

    kind: ClockKind = "real"

    def __init__(self, time: datetime = START) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class Log:
    """An open log with what writes it and what reads it."""

    url: str
    database: Database
    ports: Ports
    types: EventTypes
    grown: Signal
    appender: Appender
    executor: Executor

    async def append(
        self, *items: Proposed | Import, expect: Mapping[str, int] | None = None, org: str = ORG
    ) -> list[Appended]:
        """Append these, all or nothing."""
        return await self.appender.append(org, items, expect)

    async def head(self, org: str = ORG) -> Head:
        """The end of the log."""
        head = await self.database.read(lambda connection: read_head(connection, org))
        assert head is not None
        return head

    async def rows(self, org: str = ORG) -> Sequence[Row[tuple[object, ...]]]:
        """Every row of the log, in order."""
        query = select(event).where(event.c.org == org).order_by(event.c.position)
        return await self.database.read(lambda connection: connection.execute(query).all())

    async def records(self, org: str = ORG) -> list[Recorded]:
        """Every record of the log, in order."""
        return await self.database.read(lambda connection: reading.page(connection, org, 0, 2**53, limit=2**31))

    async def envelopes(self, org: str = ORG) -> list[Envelope]:
        """Every public event of the log, as it travels."""
        return await self.database.read(lambda connection: reading.envelopes(connection, org, 0, 2**53, None, 2**31))


@asynccontextmanager
async def a_log(
    url: str,
    ports: Ports | None = None,
    orgs: Iterable[str] = (ORG,),
    service: str = "pledge",
    types: Iterable[type[Event]] = TYPES,
    patience: Patience = PATIENT,
) -> AsyncIterator[Log]:
    """The log at `url`, its books opened; closed in the end."""
    ports = ports or Ports(SimulatedClock(START), seeded(1))
    database = open_database(url, patience)

    def prepare(connection: Connection) -> None:
        create_log(connection)
        for org in orgs:
            open_book(connection, org, service, ports)

    try:
        await database.write(prepare)
        yield on_database(database, url, ports, types)
    finally:
        await database.close()


async def always_current(org: str) -> None:
    """Where decisions read the log alone, nothing can lag behind it."""


def on_database(database: Database, url: str, ports: Ports, types: Iterable[type[Event]] = TYPES) -> Log:
    """What writes and reads a log, over a database that somebody else opened and closes."""
    known, grown = EventTypes(types), Signal()
    appender = Appender(database, ports, grown)
    return Log(url, database, ports, known, grown, appender, Executor(database, appender, known, ports, always_current))


def identity(n: int) -> str:
    """The n-th identity."""
    return f"00000000-0000-4000-8000-{n:012x}"


def a_unit(n: int, name: str = "计算机系教工支部") -> UnitRegistered:
    return UnitRegistered(unit_id=identity(n), name=name, kind="branch", category=None, parent_id=None)


def a_person(n: int, name: str = "钟若岚") -> PersonRegistered:
    return PersonRegistered(person_id=identity(n), name=name)


def enrolled(person: int, unit: int, since: datetime = START) -> MemberEnrolled:
    return MemberEnrolled(person_id=identity(person), unit_id=identity(unit), standing="full", since=since)


def left(person: int, unit: int, until: datetime, since: datetime = START) -> MemberLeft:
    return MemberLeft(person_id=identity(person), unit_id=identity(unit), since=since, until=until)


_streams = count(1)


def proposed(
    event: Event,
    stream: str | None = None,
    event_id: UUID | None = None,
    at: datetime = START,
    context: Context | None = None,
) -> Proposed:
    """An event on its way into the log; without a stream, into one of its own."""
    return Proposed(stream or f"test/{next(_streams)}", event_id or uuid4(), event, context or Context(at))


def imports(envelopes: Iterable[Envelope]) -> list[Import]:
    """The lines another service would receive, as it would import them."""
    return [Import(encode(envelope), envelope) for envelope in envelopes]
