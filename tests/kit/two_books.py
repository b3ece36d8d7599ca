"""Two services' books that import from each other, small and honest, for tests that then do something to them.

    pledge                                    evaluation
    1  book.opened           sequence 1       1  book.opened           sequence 1
    2  unit.registered       sequence 2       2  review_round.opened   sequence 2
    3  person.registered     sequence 3       3  import of pledge's sequence 1
    4  note.noted            private          4  import of pledge's sequence 2
    5  unit.registered       sequence 4       5  import of pledge's sequence 3
    6  import of evaluation's sequence 1      6  import of pledge's sequence 4
    7  import of evaluation's sequence 2      7  import of pledge's sequence 5
    8  person.registered     sequence 5       8  review_round.closed   sequence 3
    9  note.noted            private
    10 unit.registered       sequence 6       not imported yet

The persons' names are sealed; each service keeps one projection, folded to the end of its log.
"""

import tomllib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from importlib.resources import files

from avow.audit.finding import Finding
from avow.audit.verify import PairVerdict, Side, Verdict, verify_pair, verify_service
from avow.contracts import envelope
from avow.contracts.catalogue import every_public_event
from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.contracts.review import ReviewRoundClosed, ReviewRoundOpened
from avow.eventlog.records import Context, Import, Proposed, Recorded
from avow.eventlog.types import EventTypes
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.projections.projection import Projection, Row, document, exact, flag, key, moment, number, on, sealed, text
from avow.projections.projection import table as view
from avow.projections.projector import create_views, project
from avow.web.catalogue import placeholders
from tests.kit.logs import ORG, START, Log, Noted, a_log, a_person, a_unit, identity

EVENTS: tuple[type[Event], ...] = (*every_public_event(), Noted)
TYPES = EventTypes(EVENTS)
TEXTS = tomllib.loads(files("avow.audit").joinpath("messages.toml").read_text("utf-8"))
persons = view("person", key("person_id"), sealed("name"), moment("since"), number("heard", default=0))
places = view("place", key("unit_id"), text("name"), document("kinds"), exact("weight"), flag("own"))


class Who(Projection):
    """Persons and units, own or imported, in columns of every kind that the engines store differently."""

    name, version, tables = "who", 1, (persons, places)

    @on(PersonRegistered, row=persons.at("person_id"))
    def person(self, event: PersonRegistered, recorded: Recorded, row: Row) -> None:
        row.update(name=event.name, since=recorded.occurred_at, heard=row["heard"] + 1)

    @on(UnitRegistered, row=places.at("unit_id"))
    def unit(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
        weight = Decimal(recorded.version) / 8
        row.update(name=event.name, kinds=[event.kind], weight=weight, own=recorded.log_id is None)


@dataclass(frozen=True)
class TwoBooks:
    """The pair."""

    pledge: Log
    evaluation: Log

    async def verify(self, book: Log, noted: dict[int, str] | None = None) -> Verdict:
        """The verdict on one of them by itself."""
        return await verify_service(book.database, ORG, [Who()], TYPES, noted=noted)

    async def verify_both(self) -> PairVerdict:
        """The verdict on the pair."""
        first, second = (Side(book.database, [Who()], TYPES) for book in (self.pledge, self.evaluation))
        return await verify_pair(ORG, first, second)


def found_in(findings: Iterable[Finding]) -> list[tuple[str, int | None]]:
    """Code and position of each finding, whose texts must name no parameter it lacks."""
    for finding in findings:
        template = TEXTS[finding.code]
        given = {"position", "projection", *finding.params}
        assert all(placeholders(template[name]) <= given for name in ("zh", "en", "todo_zh", "todo_en"))
    return [(finding.code, finding.position) for finding in findings]


async def say(book: Log, stream: str, event: Event) -> None:
    """Append one event, an hour after what was said before."""
    clock = book.ports.clock
    assert isinstance(clock, SimulatedClock)
    clock.set(clock.now() + timedelta(hours=1))
    context = Context(occurred_at=clock.now(), actor=identity(1))
    await book.append(Proposed(stream, book.ports.new_id(), event, context))


async def take_in(book: Log, source: Log, after: int, upto: int) -> None:
    """Import the source's public events with after < sequence ≤ upto."""
    said = (await source.envelopes())[after:upto]
    await book.append(*(Import(envelope.encode(one), one) for one in said))


async def catch_up(book: Log) -> None:
    """Bring the projection to the end of the log."""
    while await book.database.write(partial(project, org=ORG, projection=Who(), types=TYPES)):
        continue


@asynccontextmanager
async def two_books(pledge_url: str, evaluation_url: str) -> AsyncIterator[TwoBooks]:
    """The pair as the picture above shows it; closed in the end."""
    ports = [Ports(SimulatedClock(START), seeded(seed)) for seed in (1, 2)]
    async with (
        a_log(pledge_url, ports[0], service="pledge", types=EVENTS) as pledge,
        a_log(evaluation_url, ports[1], service="evaluation", types=EVENTS) as evaluation,
    ):
        for book in (pledge, evaluation):
            await book.database.write(lambda connection: create_views(connection, [Who()]))
        await say(pledge, "unit/1", a_unit(1, "数学学院第一支部"))
        await say(pledge, "person/2", a_person(2, "钟若岚"))
        await say(pledge, "note/1", Noted(text="初稿"))
        await say(pledge, "unit/3", a_unit(3, "后勤第二支部"))
        await say(evaluation, "review_round/4", ReviewRoundOpened(round_id=identity(4)))
        await take_in(pledge, evaluation, 0, 2)
        await say(pledge, "person/5", a_person(5, "柳承远"))
        await say(pledge, "note/1", Noted(text="二稿"))
        await say(pledge, "unit/6", a_unit(6, "物理学院第三支部"))
        await take_in(evaluation, pledge, 0, 5)
        await say(evaluation, "review_round/4", ReviewRoundClosed(round_id=identity(4), reason=None))
        for book in (pledge, evaluation):
            await catch_up(book)
        yield TwoBooks(pledge, evaluation)
