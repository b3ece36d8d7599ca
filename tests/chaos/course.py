"""A run of chaos: rounds of faults under load, and a verdict after each; it ends at the first that is not clean.

Promises: it is bounded by kills and by seconds, whatever the services do; both sides fall quiet before they are judged,
and what does not within `quiet` seconds is counted as lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from avow.bus import place
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import AWAY, Database, open_database
from tests.chaos.callers import ORG, Callers, NotAnswered
from tests.chaos.faults import Fault, Kind
from tests.chaos.ledger import SERVICES, Ledger, Service
from tests.chaos.pair import Engine, Keeper, Pair, a_pair
from tests.chaos.striking import Striker
from tests.chaos.verdict import Row, Verdict, audited, judge, read_book
from tests.kit.rabbit import PrivateRabbit
from tests.kit.rabbit_cluster import PrivateCluster

A_ROUND = 20
"""How many faults strike between two verdicts."""


Watch = Callable[[Pair], AbstractAsyncContextManager[None]]


@dataclass
class Outcome:
    """How a run ended. `events` are in both logs together; `instants` say where services died as they were told."""

    engine: Engine
    seed: int
    kills: int = 0
    faults: int = 0
    events: int = 0
    acknowledged: int = 0
    given_again: int = 0
    verdicts: int = 0
    seconds: float = 0.0
    struck: dict[Kind, int] = field(default_factory=dict)
    instants: dict[str, int] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)

    def as_json(self) -> dict[str, Any]:
        """The numbers, and of what is wrong the number and the first of each."""
        said = asdict(self)
        wrong = said.pop("verdict")
        counts = {kind: len(found) for kind, found in wrong.items()}
        return {**said, "seconds": round(self.seconds, 1), **counts, "ok": self.verdict.ok,
                "first": {kind: found[0] for kind, found in wrong.items() if found}}  # fmt: skip


@dataclass(frozen=True)
class Bounds:
    """When to stop: after so many kills or seconds, whichever comes first; and how long to wait for rest."""

    kills: int = 1000
    seconds: float = 1000
    quiet: float = 60


async def chaos(
    engine: Engine,
    seed: int,
    faults: Iterator[Fault],
    bounds: Bounds,
    folder: Path,
    sabotage: str | None = None,
    rabbit: PrivateRabbit | PrivateCluster | None = None,
    watch: Watch | None = None,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Run until the faults, or the bounds, are at their end, on one broker or on a cluster.

    `tell` hears of every fault and every verdict; `watch` looks at the broker from beside while it all happens.
    """
    async with AsyncExitStack() as stack:
        keeper = Keeper()
        stack.callback(keeper.close)
        rabbit = rabbit or PrivateRabbit()
        await keeper.do(rabbit.start)
        stack.push_async_callback(keeper.do, rabbit.stop)
        pair = await stack.enter_async_context(a_pair(engine, folder, rabbit, keeper, sabotage))
        ledger = Ledger(folder / "ledger.jsonl")
        stack.callback(ledger.close)
        callers = Callers(pair.urls, pair.token, ledger)
        stack.push_async_callback(callers.close)
        run = _Run(pair, callers, ledger, Striker(pair, callers, seed), Outcome(engine, seed), bounds, tell)
        async with nullcontext() if watch is None else watch(pair):
            await run.begin()
            return await run.to_the_end(faults)


@dataclass
class _Run:
    pair: Pair
    callers: Callers
    ledger: Ledger
    striker: Striker
    outcome: Outcome
    bounds: Bounds
    tell: Callable[[Outcome], None]
    ended_at: dict[Service, Row] = field(default_factory=dict)

    async def begin(self) -> None:
        for service in SERVICES:
            await self.pair.start(service)
        await self.striker.everybody_answers()
        await self.callers.found()

    async def to_the_end(self, faults: Iterator[Fault]) -> Outcome:
        now = asyncio.get_running_loop().time
        begun = now()
        while self.outcome.verdict.ok:
            chosen = self._within(begun, islice(faults, A_ROUND))
            struck = await self._round(chosen)
            self.outcome.seconds = now() - begun
            self.tell(self.outcome)
            if not struck or self._enough():
                break
        return self.outcome

    def _within(self, begun: float, faults: Iterable[Fault]) -> Iterator[Fault]:
        now = asyncio.get_running_loop().time
        for fault in faults:
            yield fault
            self.outcome.seconds = now() - begun
            self._count()
            self.tell(self.outcome)
            if self._enough():
                return

    def _enough(self) -> bool:
        return self.outcome.kills >= self.bounds.kills or self.outcome.seconds >= self.bounds.seconds

    async def _round(self, faults: Iterable[Fault]) -> bool:
        """Strike, let everybody come to rest, and judge; whether anything struck."""
        self.callers.start()
        struck = False
        for fault in faults:
            await self.striker.strike(fault)
            struck = True
        await self.striker.everybody_answers()
        verdict = Verdict()
        try:
            await self.callers.stop()
        except NotAnswered as error:
            verdict.unsound.append(str(error))
        async with _opened(self.pair.databases) as databases:
            await _quiet(databases, self.bounds.quiet)
            books = {service: await database.read(read_book) for service, database in databases.items()}
            found = judge(books, self.ledger.lines(), self.ended_at)
            found.unsound += verdict.unsound
            if found.ok:
                found.unsound += [finding.text("en") for finding in (await audited(databases)).findings]
        self.ended_at = {service: book.rows[-1] for service, book in books.items()}
        self.outcome.events = sum(len(book.rows) for book in books.values())
        self.outcome.verdict = found
        self.outcome.verdicts += 1
        self._count()
        return struck

    def _count(self) -> None:
        outcome, lines = self.outcome, self.ledger.lines()
        outcome.kills, outcome.faults = self.striker.kills, self.striker.struck.total()
        outcome.acknowledged, outcome.given_again = len(lines), sum(line.tries > 1 for line in lines)
        outcome.struck = dict(self.striker.struck)
        outcome.instants = dict(Counter(self.striker.instants))


@asynccontextmanager
async def _opened(urls: Mapping[Service, str]) -> AsyncIterator[dict[Service, Database]]:
    """The databases as a reader opens them who is none of the services."""
    databases = {service: open_database(url) for service, url in urls.items()}
    try:
        yield databases
    finally:
        for database in databases.values():
            await database.close()


async def _quiet(databases: Mapping[Service, Database], within: float) -> None:
    """Return when everything public is confirmed by the broker and imported, or after so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                with suppress(*AWAY):
                    stands = {service: await database.read(_stand) for service, database in databases.items()}
                    if all([await _is_through(databases, service, stands) for service in databases]):
                        return
                await asyncio.sleep(0.1)


def _stand(connection: Connection) -> tuple[str, int, int]:
    """A log's id, its last public event, and the last one its relay noted as confirmed."""
    head = read_head(connection, ORG)
    assert head is not None
    noted = connection.scalar(select(place.relay.c.sequence).where(place.relay.c.org == ORG)) or 0
    return str(head.log_id), head.sequence, noted


async def _is_through(
    databases: Mapping[Service, Database], service: Service, stands: Mapping[Service, tuple[str, int, int]]
) -> bool:
    (other,) = databases.keys() - {service}
    log_id, end, noted = stands[service]
    imported = await databases[other].read(partial(reading.imported_upto, org=ORG, log_id=log_id))
    return imported == end == noted
