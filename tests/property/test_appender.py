"""Whatever several processes ask of a log, at once and again, it answers like a plain list.

Hypothesis plays callers against `Model`: appenders that remember what others have long changed, requests asked again
whole, in part and in other company, expectations of streams that are not written, imports with holes, and two books in
one database. A run that fails prints its steps, and a blob that repeats them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypeVar
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from msgspec import structs

from avow.audit.log import verify_log
from avow.contracts.leaf import LEAF_COLUMNS, leaf
from avow.eventlog import memory
from avow.eventlog.append import open_book
from avow.eventlog.database import open_database
from avow.eventlog.records import Appended, Import, Proposed
from avow.eventlog.tables import create_log
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.log_model import Asked, Items, Model, explained
from tests.kit.logs import START, Log, Noted, a_person, a_unit, imports, on_database, proposed

T = TypeVar("T")
WRITERS = 3
STREAMS = ("round/1", "round/2", "ballot/1", "note/1")
SOURCES = ("one", "another")
REMEMBERED = memory.STREAMS


@dataclass(frozen=True)
class New:
    """An event nobody has asked for."""

    stream: str
    kind: Literal["public", "private", "sealed"]


@dataclass(frozen=True)
class Old:
    """An event of an earlier request of any book, the `back`-th last; perhaps into another stream."""

    back: int
    stream: str | None


@dataclass(frozen=True)
class Line:
    """A line of another log's feed, so far off the next one due; perhaps of another event, or of a log of our own."""

    source: str
    off: int
    twin: bool


@dataclass(frozen=True)
class Call:
    """What one caller asks: of which book, through which process, in which state of knowledge."""

    book: int
    writer: int
    parts: list[New | Old | Line]
    expect: dict[str, int | None]
    """How far off the streams are expected; None: as if they had no events."""
    again: int
    """Zero, or which of the earlier requests is repeated in front of the parts."""


often = st.sampled_from
streams = st.sampled_from(STREAMS)
off = often((0, 0, 0, 0, 1, -1))
new = st.builds(New, streams, often(("public", "public", "private")))
parts = st.one_of(
    st.builds(New, streams, often(("public", "private", "sealed"))),
    st.builds(Old, st.integers(1, 8), st.none() | streams),
    st.builds(Line, often((*SOURCES, *SOURCES, *SOURCES, "own")), off, often((False, False, False, True))),
)
askers: dict[str, Any] = {
    "book": often((0, 0, 0, 1)),
    "writer": often((0, 0, 0, 1, 1, 2)),
    "expect": st.dictionaries(streams, off, max_size=2),
}
as_if_new = st.dictionaries(streams, st.none(), min_size=1, max_size=1)
calls = st.one_of(
    # Whatever collides makes a process forget, so most calls are of a kind that it remembers.
    st.builds(Call, parts=st.lists(new, max_size=3), again=st.just(0), **askers),
    st.builds(Call, parts=st.lists(new, max_size=3), again=st.just(0), **askers),
    st.builds(Call, parts=st.lists(new, min_size=1, max_size=1), again=st.just(0), **askers | {"expect": as_if_new}),
    st.builds(Call, parts=st.lists(parts, max_size=4), again=often((0, 1, 2, 3, 5, 8)), **askers),
)


class World:
    """One database for all examples, in which each opens books of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.books = 0
        self._runner = asyncio.Runner()
        first = open_database(url)
        # A database in memory is its one connection; elsewhere every process has its own.
        self.databases = [first, *(first if url == "sqlite://" else open_database(url) for _ in range(1, WRITERS))]
        self.run(first.write(create_log))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        for database in dict.fromkeys(self.databases):
            self.run(database.close())
        self._runner.close()


class Callers(RuleBasedStateMachine):
    """Processes and their callers, and what the books should hold by now."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.ports = Ports(SimulatedClock(START), seeded(1))
        self.writers = [self._process(n) for n in range(WRITERS)]
        self.models = [self._book() for _ in range(2)]
        self.asked: list[Items] = []
        self.drawn = 0

    @initialize(known=often((1, 2, REMEMBERED, REMEMBERED, REMEMBERED)))
    def remember(self, known: int) -> None:
        """How many streams a process remembers."""
        memory.STREAMS = known

    @rule(writer=st.integers(0, WRITERS - 1))
    def restart(self, writer: int) -> None:
        """A process that remembers nothing takes the place of another."""
        self.writers[writer] = self._process(writer)

    @rule(at_once=st.lists(calls, min_size=1, max_size=3) | st.lists(calls, min_size=1, max_size=6))
    def ask(self, at_once: list[Call]) -> None:
        """Several callers ask at once, and are answered as if one had asked after another."""
        asked = [self._asked(call) for call in at_once]
        told = self.world.run(self._answers(at_once, asked))
        for book, model in enumerate(self.models):
            queues = defaultdict(list)
            for call, request, answer in zip(at_once, asked, told, strict=True):
                if call.book == book:
                    queues[call.writer].append((request, answer))
            after = explained(model, list(queues.values()))
            assert after is not None, f"no order explains {told}"
            self.models[book] = after
            self._compare(after)

    def teardown(self) -> None:
        memory.STREAMS = REMEMBERED
        for model in self.models:
            verdict = self.world.run(self.world.databases[0].read(partial(verify_log, org=model.org)))
            assert verdict.ok, verdict.findings

    def _process(self, n: int) -> Log:
        return on_database(self.world.databases[n], self.world.url, self.ports)

    def _book(self) -> Model:
        self.world.books += 1
        org = f"book-{self.world.books}"
        open_it = partial(open_book, org=org, service="pledge", ports=self.ports)
        head = self.world.run(self.world.databases[0].write(open_it))
        return Model(org, head.log_id, self._rows(org))

    async def _answers(self, at_once: list[Call], asked: list[Asked]) -> list[object]:
        return await asyncio.gather(
            *(
                self.writers[call.writer].append(*request.items, expect=request.expect, org=self.models[call.book].org)
                for call, request in zip(at_once, asked, strict=True)
            ),
            return_exceptions=True,
        )

    def _rows(self, org: str) -> list[Appended]:
        rows = self.world.run(self.writers[0].rows(org))
        return [Appended(row.position, row.sequence, row.stream, row.version, row.event_id) for row in rows]

    def _compare(self, model: Model) -> None:
        """The book holds what the model holds, and its head and its public side say so."""
        assert self._rows(model.org) == model.rows
        head = self.world.run(self.writers[0].head(model.org))
        assert (head.position, head.sequence) == (len(model.rows), model.sequence)
        public = [(wire.sequence, wire.event_id) for wire in self.world.run(self.writers[0].envelopes(model.org))]
        assert public == [(row.sequence, row.event_id) for row in model.rows if row.sequence is not None]

    def _asked(self, call: Call) -> Asked:
        model = self.models[call.book]
        items: list[Proposed | Import] = []
        if call.again and self.asked:
            items += self.asked[-call.again % len(self.asked)]
        for part in call.parts:
            items += self._items(model, part, items)
        self.asked.append(items)
        expect = {
            stream: 0 if by is None else max(0, model.versions[stream] + by) for stream, by in call.expect.items()
        }
        return Asked(items, expect)

    def _items(self, model: Model, part: New | Old | Line, before: Items) -> Items:
        match part:
            case New(stream, kind):
                self.drawn += 1
                event: Event = a_unit(self.drawn)
                if kind != "public":
                    event = Noted(text="draft") if kind == "private" else a_person(self.drawn)
                return [proposed(event, stream, uuid5(NAMESPACE_OID, str(self.drawn)))]
            case Old(back, elsewhere):
                earlier = [item for items in self.asked for item in items if isinstance(item, Proposed)]
                chosen = earlier[-back:][:1]
                return [replace(item, stream=elsewhere or item.stream) for item in chosen]
            case Line(source, by, twin):
                log_id = model.log_id if source == "own" else uuid5(NAMESPACE_OID, source)
                stream = f"import/{log_id}"
                ahead = sum(item.stream == stream for item in before)
                sequence = max(1, model.versions[stream] + 1 + ahead + by)
                event_id = uuid5(log_id, f"{sequence}, {twin}")
                template = self.world.run(self.writers[0].envelopes(model.org))[0]
                wire = structs.replace(template, log_id=log_id, sequence=sequence, event_id=event_id)
                hashed = leaf(wire.salt, (getattr(wire, column) for column in LEAF_COLUMNS), wire.format)
                return imports([structs.replace(wire, leaf=hashed)])


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A database in memory, or on a server."""
    opened = World("sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def test_the_log_answers_like_a_plain_list(world: World) -> None:
    over = type("Callers", (Callers,), {"world": world})
    examples = 60 if world.url == "sqlite://" else 25
    run_state_machine_as_test(over, settings=settings(max_examples=examples, stateful_step_count=30, print_blob=True))
