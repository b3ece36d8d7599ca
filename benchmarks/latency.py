"""How long an event is on its way: from the answer of its append to its commit in the importer's log.

The source is a process of its own, as a service is: `python -m benchmarks.latency DATABASE BROKER RATE SECONDS` (a
BROKER of "-" is none). It says on which port its feed is, waits for a line, appends, and says when each sequence was
answered, by the clock all processes of a machine have in common. PostgreSQL and the broker share the cores with both.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import structlog
import uvloop

from avow.bus import place
from avow.bus.dead import DeadLetters
from avow.bus.feed_client import FeedClient
from avow.bus.follower import Follower
from avow.bus.inbox import Inbox
from avow.bus.publisher import RabbitPublisher
from avow.bus.queue import Queues
from avow.bus.relay import Relay
from avow.kernel.ports import Ports
from avow.service.hosting import collect_seldom
from benchmarks.measure import Report
from benchmarks.workload import ORG, Noted, fields
from tests.kit.logs import a_log, proposed
from tests.unit.bus.serving import serving  # the only use of a test's server here

RATES = (100, 500, 1_000)
"""Events a second."""
WARM = 1
"""Seconds whose events are not counted."""
NONE = "-"
LONGEST = 2**24
"""Bytes a line of the source may have."""


def measure_latency(report: Report, new_url: Callable[[], str], new_vhost: Callable[[], str], seconds: float) -> None:
    """Median and 99th percentile at each rate, over the feed and over RabbitMQ."""
    for rate in RATES:
        for transport, amqp in (("feed", NONE), ("rabbitmq", new_vhost())):
            _on_the_way(report, new_url, transport, amqp, rate, seconds)


def _on_the_way(
    report: Report, new_url: Callable[[], str], transport: str, amqp: str, rate: int, seconds: float
) -> None:
    found: list[Sequence[float]] = []

    def median() -> float:
        found.append(uvloop.run(_latencies(new_url, amqp, rate, seconds)))
        return found[-1][len(found[-1]) // 2]

    name = f"append answered to import committed, {transport}, {rate:,} events/s"
    report.compare(f"{name}, median", "ms", median)
    tails = iter([found[0], *found])
    report.compare(f"{name}, p99", "ms", lambda: (tail := next(tails))[int(len(tail) * 0.99)])


async def _latencies(new_url: Callable[[], str], amqp: str, rate: int, seconds: float) -> list[float]:
    """Milliseconds of each event, sorted."""
    command = [sys.executable, "-m", __name__, new_url(), amqp, str(rate), str(seconds)]
    source = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=LONGEST)
    assert source.stdin is not None
    assert source.stdout is not None
    arrived: dict[int, float] = {}
    try:
        port = int(await source.stdout.readline())
        async with _an_importer(new_url(), f"http://127.0.0.1:{port}", amqp) as follower:
            await follower.caught_up(1)
            watching = asyncio.create_task(_watch(follower, arrived))
            source.stdin.write(b"go\n")
            answered = {int(n): at for n, at in json.loads(await source.stdout.readline()).items()}
            await follower.caught_up(max(answered), 60)
            await asyncio.sleep(0.1)
            watching.cancel()
        source.stdin.close()
        await source.wait()
    finally:
        if source.returncode is None:
            source.kill()
    counted = [n for n in answered if n > 1 + rate * WARM]
    return sorted(1_000 * max(0.0, arrived[n] - answered[n]) for n in counted)


@asynccontextmanager
async def _an_importer(url: str, feed: str, amqp: str) -> AsyncIterator[Follower]:
    ports = Ports()
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(a_log(url, ports, (ORG,), "evaluation", (Noted,)))
        client = await stack.enter_async_context(FeedClient(feed, "token"))
        listen = None
        if amqp != NONE:
            queues = Queues(amqp, "evaluation", "pledge", ports, DeadLetters(log.database, ports).bury)
            listen = queues.of(ORG).listen
            queues.start()
            stack.push_async_callback(queues.stop)
        follower = Follower(client, Inbox(log.database, log.appender, ORG), ORG, ports, listen)
        follower.start()
        stack.push_async_callback(follower.stop)
        yield follower


async def _watch(follower: Follower, arrived: dict[int, float]) -> None:
    """Note when each sequence is imported."""
    reached = 1
    while True:
        seen = follower.moved.raised
        now = time.perf_counter()
        for sequence in range(reached + 1, follower.status.imported_sequence + 1):
            arrived[sequence] = now
            reached = sequence
        await follower.moved.wait(1.0, seen)


async def _source(url: str, amqp: str, rate: int, seconds: float) -> None:
    """Be the source."""
    ports, answered = Ports(), dict[int, float]()
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(a_log(url, ports, (ORG,), types=(Noted,)))
        feed = await stack.enter_async_context(serving(log))
        if amqp != NONE:
            await log.database.write(place.metadata.create_all)
            relay = Relay(RabbitPublisher(amqp, "pledge", "evaluation"), log.database, ORG, log.grown, ports)
            relay.start()
            stack.push_async_callback(relay.stop)
        print(feed.rpartition(":")[2], flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        # A second in which the queue is made, and its consumer comes.
        begin = time.perf_counter() + 1.0

        async def say(n: int) -> None:
            stream = f"note/{uuid4()}"
            (at,) = await log.append(proposed(Noted(**fields("c", n)), stream), org=ORG, expect={stream: 0})
            assert at.sequence is not None
            answered[at.sequence] = time.perf_counter()

        async with asyncio.TaskGroup() as tasks:
            for n in range(int(rate * (seconds + WARM))):
                await asyncio.sleep(max(0.0, begin + n / rate - time.perf_counter()))
                tasks.create_task(say(n))
        print(json.dumps(answered), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    collect_seldom()
    # What is printed is for whoever started it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(_source(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
