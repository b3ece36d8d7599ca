"""How long a pledge is on its way: from the answer of its append to its commit in evaluation's log, and to the views.

Evaluation is the service as it runs, with all its views; the row that is waited for is the one of the ledger that
counts a unit's pledges, as a reader waits who asks for a position. The source is a process of its own, as a service
is: `python -m benchmarks.latency DATABASE BROKER RATE SECONDS` (a BROKER of "-" is none). It says on which port its
feed is, waits for a line, appends, and says when each sequence was answered, by the clock all processes of a machine
have in common. PostgreSQL and the broker share the cores with both.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

import structlog
import uvloop

from avow.bus import place
from avow.bus.feed_client import FeedClient
from avow.bus.live import Listen
from avow.bus.publisher import RabbitPublisher
from avow.bus.queue import Queues
from avow.bus.relay import Relay
from avow.contracts.pledge import PledgeMade
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports
from avow.service.hosting import collect_seldom
from avow.service.service import Service
from avow_evaluation.bootstrap import BLUEPRINT
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger
from benchmarks import bare_pair
from benchmarks.measure import Report
from benchmarks.pacing import WARM, a_source, say_at
from benchmarks.workload import ORG
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import a_log, proposed
from tests.unit.bus.serving import serving  # the only use of a test's server here

RATES = (100, 500, 1_000)
"""Events a second."""
UNITS = 40
"""Whose pledges they are, in turn."""
BEFORE = 1
"""The positions in evaluation's log that are not imported: its own book."""
NONE = "-"
PAIR = "a bare pair"
T = TypeVar("T")


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of each event until it was imported, and until it was in the view; each sorted."""

    imported: Sequence[float]
    shown: Sequence[float]


def measure_latency(report: Report, new_url: Callable[[], str], new_vhost: Callable[[], str], seconds: float) -> None:
    """Median and 99th percentile at each rate, over the feed and over RabbitMQ."""
    for rate in RATES:
        for transport, amqp in (("feed", NONE), ("rabbitmq", new_vhost())):
            _on_the_way(report, new_url, transport, amqp, rate, seconds)


def _on_the_way(
    report: Report, new_url: Callable[[], str], transport: str, amqp: str, rate: int, seconds: float
) -> None:
    found: list[Latencies] = []
    bare: list[Sequence[float]] = []

    def ours() -> float:
        found.append(uvloop.run(_latencies(new_url, amqp, rate, seconds)))
        return _median(found[-1].imported)

    def pair() -> float:
        bare.append(uvloop.run(_of_the_bare_pair(new_url, amqp, rate, seconds)))
        return _median(bare[-1])

    def again(runs: Iterable[T], what: Callable[[T], float]) -> Callable[[], float]:
        """Another figure of the same runs, in their order."""
        left = iter(runs)
        return lambda: what(next(left))

    way, at = "append answered to", f"{transport}, {rate:,} events/s"
    beside = {} if amqp == NONE else {PAIR: pair}
    tail = {} if amqp == NONE else {PAIR: again(bare, _p99)}
    report.compare(f"{way} import committed, {at}, median", "ms", ours, beside)
    report.compare(f"{way} import committed, {at}, p99", "ms", again(found, lambda of: _p99(of.imported)), tail)
    report.compare(f"{way} row in the ledger, {at}, median", "ms", again(found, lambda of: _median(of.shown)))
    report.compare(f"{way} row in the ledger, {at}, p99", "ms", again(found, lambda of: _p99(of.shown)))


def _median(in_order: Sequence[float]) -> float:
    return in_order[len(in_order) // 2]


def _p99(in_order: Sequence[float]) -> float:
    return in_order[int(len(in_order) * 0.99)]


async def _latencies(new_url: Callable[[], str], amqp: str, rate: int, seconds: float) -> Latencies:
    imported, shown = dict[int, float](), dict[int, float]()
    async with (
        a_source(__name__, new_url(), amqp, rate, seconds) as source,
        _evaluation(new_url(), f"http://127.0.0.1:{source.port}", amqp) as service,
    ):
        follower = service.followers[ORG]
        await follower.caught_up(1)
        watching = [asyncio.create_task(_imports(service, imported)), asyncio.create_task(_rows(service, shown))]
        answered = await source.go()
        await follower.caught_up(max(answered), 60)
        await service.runner.reach(ORG, max(answered) + BEFORE, [DedicatedLedger.name], 60)
        await asyncio.sleep(0.1)
        for task in watching:
            task.cancel()
    return Latencies(_way(answered, imported, rate), _way(answered, shown, rate))


async def _of_the_bare_pair(new_url: Callable[[], str], amqp: str, rate: int, seconds: float) -> list[float]:
    arrived = dict[int, float]()
    async with (
        a_source(bare_pair.__name__, new_url(), amqp, rate, seconds) as source,
        bare_pair.receiving(new_url(), amqp, arrived),
    ):
        answered = await source.go()
        async with asyncio.timeout(60):
            while len(arrived) < len(answered):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return _way(answered, arrived, rate)


def _way(answered: Mapping[int, float], arrived: Mapping[int, float], rate: int) -> list[float]:
    """Milliseconds on the way, sorted, of what was said after the warm-up."""
    counted = sorted(answered)[rate * WARM :]
    return sorted(1_000 * max(0.0, arrived[n] - answered[n]) for n in counted)


@asynccontextmanager
async def _evaluation(url: str, feed: str, amqp: str) -> AsyncIterator[Service]:
    ports = Ports()
    async with AsyncExitStack() as stack:
        service = Service(BLUEPRINT, open_database(url), ports, (ORG,))
        await service.start()
        stack.push_async_callback(service.stop)
        client = await stack.enter_async_context(FeedClient(feed, "token"))
        if amqp == NONE:
            service.follow(client)
        else:
            queues = Queues(amqp, "evaluation", "pledge", ports, service.dead.bury)

            def hears(org: str) -> Listen:
                return queues.of(org).listen

            queues.of(ORG)
            queues.start()
            stack.push_async_callback(queues.stop)
            service.follow(client, hears)
        stack.push_async_callback(service.stop_bus)
        yield service


async def _imports(service: Service, arrived: dict[int, float]) -> None:
    """Note when each sequence is imported."""
    follower, reached = service.followers[ORG], 1
    while True:
        seen = follower.moved.raised
        _note(arrived, reached, follower.status.imported_sequence)
        reached = follower.status.imported_sequence
        await follower.moved.wait(1.0, seen)


async def _rows(service: Service, arrived: dict[int, float]) -> None:
    """Note when each sequence is in the view."""
    follower, reached = service.followers[ORG], 1
    while True:
        seen = follower.moved.raised
        imported = follower.status.imported_sequence
        if imported > reached:
            await service.runner.reach(ORG, imported + BEFORE, [DedicatedLedger.name], 60)
            _note(arrived, reached, imported)
            reached = imported
        else:
            await follower.moved.wait(1.0, seen)


def _note(arrived: dict[int, float], after: int, upto: int) -> None:
    now = time.perf_counter()
    arrived.update((sequence, now) for sequence in range(after + 1, upto + 1))


async def _source(url: str, amqp: str, rate: int, seconds: float) -> None:
    """Be the source."""
    ports, answered = Ports(), dict[int, float]()
    made = next(event for event in EXAMPLES if isinstance(event, PledgeMade))
    units = [str(uuid4()) for _ in range(UNITS)]
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(a_log(url, ports, (ORG,), types=(PledgeMade,)))
        feed = await stack.enter_async_context(serving(log))
        if amqp != NONE:
            await log.database.write(place.metadata.create_all)
            relay = Relay(RabbitPublisher(amqp, "pledge", "evaluation"), log.database, ORG, log.grown, ports)
            relay.start()
            stack.push_async_callback(relay.stop)
        print(feed.rpartition(":")[2], flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def say(n: int) -> None:
            pledge_id = str(uuid4())
            stream = f"pledge/{pledge_id}"
            pledge = made.model_copy(update={"pledge_id": pledge_id, "unit_id": units[n % len(units)]})
            (at,) = await log.append(proposed(pledge, stream), org=ORG, expect={stream: 0})
            assert at.sequence is not None
            answered[at.sequence] = time.perf_counter()

        await say_at(rate, seconds, say)
        print(json.dumps(answered), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    collect_seldom()
    # What is printed is for whoever started it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(_source(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
