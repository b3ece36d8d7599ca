"""Two services' books that import from each other, small and honest, for tests that then do something to them.

    pledge                                    evaluation
    1  book.opened           sequence 1       1  book.opened           sequence 1
    2  unit.registered       sequence 2       2  review_round.opened   sequence 2
    3  person.registered     sequence 3       3  import of pledge's sequence 1
    4  draft.kept            private          4  import of pledge's sequence 2
    5  unit.registered       sequence 4       5  import of pledge's sequence 3
    6  import of evaluation's sequence 1      6  import of pledge's sequence 4
    7  import of evaluation's sequence 2      7  import of pledge's sequence 5
    8  person.registered     sequence 5       8  review_round.closed   sequence 3
    9  draft.kept            private
    10 unit.registered       sequence 6       not imported yet

The persons' names are sealed; each service keeps one projection, folded to the end of its log.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from avow.audit.verify import PairVerdict, Side, Verdict, verify_pair, verify_service
from avow.contracts import envelope
from avow.contracts.catalogue import every_public_event
from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.contracts.review import ReviewRoundClosed, ReviewRoundOpened
from avow.eventlog import reading
from avow.eventlog.append import open_book
from avow.eventlog.appender import Appender
from avow.eventlog.database import open_database
from avow.eventlog.records import Context, EventTypes, Import, Proposed, Recorded
from avow.eventlog.signal import Signal
from avow.eventlog.tables import create_log
from avow.kernel.message import Event, PrivateEvent
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.projections.projection import (
    Projection,
    Row,
    document,
    exact,
    flag,
    key,
    moment,
    number,
    on,
    sealed,
    table,
    text,
)
from avow.projections.projector import create_views, project

ORG = "demo"


class DraftKept(PrivateEvent, type="draft.kept"):
    """A private event: it takes no sequence and never travels."""

    words: str


TYPES = EventTypes([*every_public_event(), DraftKept])
who = table("who", key("person_id"), sealed("name"), moment("since"), number("heard", default=0))
where = table("place", key("unit_id"), text("name"), document("kinds"), exact("weight"), flag("own"))


class Who(Projection):
    """Persons and units, own or imported, in columns of every kind that engines store differently."""

    name, version, tables = "who", 1, (who, where)

    @on(PersonRegistered, row=who.at("person_id"))
    def person(self, event: PersonRegistered, recorded: Recorded, row: Row) -> None:
        row.update(name=event.name, since=recorded.occurred_at, heard=row["heard"] + 1)

    @on(UnitRegistered, row=where.at("unit_id"))
    def unit(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
        weight = Decimal(recorded.version) / 8
        row.update(name=event.name, kinds=[event.kind], weight=weight, own=recorded.log_id is None)


class Book:
    """One service's book and what it takes to write in it."""

    def __init__(self, service: str, url: str, seed: int) -> None:
        self.service = service
        self.url = url
        self.clock = SimulatedClock(datetime(2010, 9, 1, 8, tzinfo=UTC))
        self.ports = Ports(clock=self.clock, random_bytes=seeded(seed))
        self.database = open_database(url)
        self.appender = Appender(self.database, self.ports, Signal())

    async def open(self) -> None:
        await self.database.write(create_log)
        await self.database.write(lambda connection: create_views(connection, [Who()]))
        await self.database.write(lambda connection: open_book(connection, ORG, self.service, self.ports))

    async def say(self, stream: str, event: Event) -> None:
        """Append one event at the end of its stream, an hour after what was said before."""
        self.clock.set(self.clock.now() + timedelta(hours=1))
        context = Context(occurred_at=self.clock.now(), actor=str(self.ports.new_id()))
        await self.appender.append(ORG, [Proposed(stream, self.ports.new_id(), event, context)])

    async def import_from(self, source: "Book", after: int, upto: int) -> None:
        """Take in the source's public events with after < sequence ≤ upto."""
        said = await source.database.read(lambda connection: reading.envelopes(connection, ORG, after, upto, None, 99))
        self.clock.set(max(self.clock.now(), source.clock.now()))
        await self.appender.append(ORG, [Import(envelope.encode(one), one) for one in said])

    async def project(self) -> None:
        """Bring the projection to the end of the log."""
        while await self.database.write(partial(project, org=ORG, projection=Who(), types=TYPES)):
            continue

    def new_unit(self, name: str) -> tuple[str, UnitRegistered]:
        unit_id = str(self.ports.new_id())
        event = UnitRegistered(unit_id=unit_id, name=name, kind="branch", category=None, parent_id=None)
        return f"unit/{unit_id}", event

    def new_person(self, name: str) -> tuple[str, PersonRegistered]:
        person_id = str(self.ports.new_id())
        return f"person/{person_id}", PersonRegistered(person_id=person_id, name=name)


@dataclass
class TwoBooks:
    """The pair."""

    pledge: Book
    evaluation: Book

    async def verify(self, book: Book, noted: dict[int, str] | None = None) -> Verdict:
        """The verdict on one of them by itself."""
        return await verify_service(book.database, ORG, [Who()], TYPES, noted=noted)

    async def verify_both(self) -> PairVerdict:
        """The verdict on the pair."""
        sides = [Side(book.database, [Who()], TYPES) for book in (self.pledge, self.evaluation)]
        return await verify_pair(ORG, *sides)

    async def close(self) -> None:
        for book in (self.pledge, self.evaluation):
            await book.database.close()


async def two_books(pledge_url: str, evaluation_url: str) -> TwoBooks:
    """The pair as the picture above shows it."""
    pledge, evaluation = Book("pledge", pledge_url, seed=1), Book("evaluation", evaluation_url, seed=2)
    await pledge.open()
    await evaluation.open()
    await pledge.say(*pledge.new_unit("数学学院第一支部"))
    await pledge.say(*pledge.new_person("钟若岚"))
    await pledge.say("draft/1", DraftKept(words="初稿"))
    await pledge.say(*pledge.new_unit("后勤第二支部"))
    round_id = str(evaluation.ports.new_id())
    await evaluation.say(f"review_round/{round_id}", ReviewRoundOpened(round_id=round_id))
    await pledge.import_from(evaluation, 0, 2)
    await pledge.say(*pledge.new_person("柳承远"))
    await pledge.say("draft/1", DraftKept(words="二稿"))
    await pledge.say(*pledge.new_unit("物理学院第三支部"))
    await evaluation.import_from(pledge, 0, 5)
    await evaluation.say(f"review_round/{round_id}", ReviewRoundClosed(round_id=round_id, reason=None))
    await pledge.project()
    await evaluation.project()
    return TwoBooks(pledge, evaluation)
