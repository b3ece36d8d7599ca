"""Between the services: publishing beside the bare client, how long an event is on its way, and catching up.

The pair's two logs lie in one process with the clock that measures them, so both share its two cores with the broker.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import aio_pika
import structlog
import uvloop
from faststream.rabbit import RabbitBroker, RabbitExchange

from avow.bus import place
from avow.bus.dead import DeadLetters
from avow.bus.feed_client import FeedClient
from avow.bus.follower import Follower
from avow.bus.inbox import Inbox
from avow.bus.publisher import RabbitPublisher, connect
from avow.bus.queue import Queues
from avow.bus.relay import WINDOW, Relay
from avow.contracts import wire
from avow.contracts.envelope import Envelope, encode
from avow.kernel.ports import Ports
from benchmarks.commands import served
from benchmarks.contenders import Avow
from benchmarks.measure import Report
from benchmarks.serving import TOKEN
from benchmarks.workload import ORG, Noted, fields
from tests.kit.logs import Log, a_log, proposed
from tests.kit.rabbit import PrivateRabbit

PUBLISHED = 10_000
RATES = (100, 500, 1_000)
"""Events a second."""
CAUGHT_UP = 50_000
NewUrl = Callable[[], str]


def measure_bus(report: Report, new_url: dict[str, NewUrl], seconds: float) -> None:
    """Every figure of the bus."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with PrivateRabbit() as broker:
        _publishing(report, new_url["postgresql"](), broker.create_vhost())
        for rate in RATES:
            for transport, amqp in (("feed", None), ("rabbitmq", broker.create_vhost())):
                _on_the_way(report, new_url["postgresql"], transport, amqp, rate, seconds)
    for engine, create in new_url.items():
        _catching_up(report, engine, new_url["postgresql"](), create)


def _publishing(report: Report, source: str, amqp: str) -> None:
    report.compare(
        f"publish with confirms, {WINDOW} on their way, to a quorum queue",
        "events/s",
        lambda: uvloop.run(_relayed(source, amqp)),
        {
            "aio-pika": lambda: uvloop.run(_bare(source, amqp)),
            "FastStream": lambda: uvloop.run(_faststream(source, amqp)),
        },
    )


async def _relayed(source: str, amqp: str) -> float:
    """What the relay publishes a second, from the log."""
    async with _filled(source) as log, _a_queue(amqp):
        await log.database.write(place.metadata.create_all)
        await log.database.write(lambda connection: connection.execute(place.relay.delete()))
        relay = Relay(RabbitPublisher(amqp, "pledge", "evaluation"), log.database, ORG, log.grown, Ports())
        begin = time.perf_counter()
        relay.start()
        while relay.status.confirmed < PUBLISHED:  # noqa: ASYNC110 - the clock is what this is about
            await asyncio.sleep(0.002)
        passed = time.perf_counter() - begin
        await relay.stop()
        return PUBLISHED / passed


async def _bare(source: str, amqp: str) -> float:
    """What aio-pika publishes a second of the same messages, made beforehand."""
    async with _filled(source) as log, _a_queue(amqp):
        messages = [(_message(each), wire.routing_key(ORG, each.type)) for each in await log.envelopes(ORG)]
        connection = await connect(amqp, "benchmark")
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(wire.exchange_of("pledge"), ensure=False)

        async def publish(n: int) -> None:
            await exchange.publish(*messages[n])

        rate = await _windowed(publish)
        await connection.close()
        return rate


async def _faststream(source: str, amqp: str) -> float:
    """What FastStream publishes a second of the same bodies."""
    async with _filled(source) as log, _a_queue(amqp):
        bodies = [(encode(each), wire.routing_key(ORG, each.type)) for each in await log.envelopes(ORG)]
        broker = RabbitBroker(amqp, logger=None)
        await broker.start()
        exchange = RabbitExchange(wire.exchange_of("pledge"), declare=False)

        async def publish(n: int) -> None:
            body, key = bodies[n]
            await broker.publish(body, exchange=exchange, routing_key=key, persist=True, mandatory=True)

        rate = await _windowed(publish)
        await broker.stop()
        return rate


async def _windowed(publish: Callable[[int], "asyncio.Future[None] | object"]) -> float:
    """Publish everything, so many at a time; how many a second."""
    room = asyncio.Semaphore(WINDOW)

    async def one(n: int) -> None:
        try:
            await publish(n)  # type: ignore[misc]
        finally:
            room.release()

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for n in range(PUBLISHED):
            await room.acquire()
            tasks.create_task(one(n))
    return PUBLISHED / (time.perf_counter() - begin)


def _message(envelope: Envelope) -> aio_pika.Message:
    said = wire.properties(envelope)
    return aio_pika.Message(
        encode(envelope),
        headers=dict(wire.headers(envelope)),
        content_type=wire.CONTENT_TYPE,
        delivery_mode=wire.PERSISTENT,
        message_id=str(said["message_id"]),
        timestamp=envelope.occurred_at,
        type=str(said["type"]),
        app_id=wire.APP,
    )


@asynccontextmanager
async def _filled(url: str) -> AsyncIterator[Log]:
    """A log of so many public events."""
    async with a_log(url, Ports(), (ORG,), types=(Noted,)) as log:
        head = await log.head(ORG)
        for begin in range(head.sequence, PUBLISHED, 500):
            notes = [proposed(Noted(**fields("c", n))) for n in range(begin, min(begin + 500, PUBLISHED))]
            await log.append(*notes, org=ORG)
        yield log


@asynccontextmanager
async def _a_queue(amqp: str) -> AsyncIterator[None]:
    """A fresh quorum queue that gets everything the pledge service publishes."""
    connection = await connect(amqp, "benchmark")
    channel = await connection.channel()
    exchange = await channel.declare_exchange(wire.exchange_of("pledge"), aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue("benchmark", durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(exchange, "#")
    try:
        yield
    finally:
        await queue.delete(if_unused=False, if_empty=False)
        await connection.close()


@dataclass
class _Pair:
    source: Log
    follower: Follower


@asynccontextmanager
async def _a_pair(new_url: NewUrl, amqp: str | None) -> AsyncIterator[_Pair]:
    """Two logs on PostgreSQL, and what lies between them; the source's feed is served by this process too."""
    from tests.unit.bus.serving import serving  # the only use of a test's server here

    ports = Ports()
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(a_log(new_url(), ports, (ORG,), types=(Noted,)))
        importer = await stack.enter_async_context(a_log(new_url(), ports, (ORG,), "evaluation", (Noted,)))
        url = await stack.enter_async_context(serving(source))
        client = await stack.enter_async_context(FeedClient(url, "token"))
        for log in (source, importer):
            await log.database.write(place.metadata.create_all)
        listen = None
        if amqp is not None:
            queues = Queues(amqp, "evaluation", "pledge", ports, DeadLetters(importer.database, ports).bury)
            listen = queues.of(ORG).listen
            queues.start()
            stack.push_async_callback(queues.stop)
            relay = Relay(RabbitPublisher(amqp, "pledge", "evaluation"), source.database, ORG, source.grown, ports)
            relay.start()
            stack.push_async_callback(relay.stop)
        follower = Follower(client, Inbox(importer.database, importer.appender, ORG), ORG, ports, listen)
        follower.start()
        stack.push_async_callback(follower.stop)
        yield _Pair(source, follower)


async def _latencies(new_url: NewUrl, amqp: str | None, rate: int, seconds: float) -> list[float]:
    """Milliseconds from the answer of each append to its commit at the importer, sorted."""
    answered: dict[int, float] = {}
    arrived: dict[int, float] = {}
    async with _a_pair(new_url, amqp) as pair:

        async def watch() -> None:
            reached = 1
            while True:
                seen = pair.follower.moved.raised
                for sequence in range(reached + 1, pair.follower.status.imported_sequence + 1):
                    arrived[sequence] = time.perf_counter()
                    reached = sequence
                await pair.follower.moved.wait(1.0, seen)

        async def say(n: int) -> None:
            (at,) = await pair.source.append(proposed(Noted(**fields("c", n)), f"note/{uuid4()}"), org=ORG)
            assert at.sequence is not None
            answered[at.sequence] = time.perf_counter()

        await pair.follower.caught_up(1)
        # A second in which the queue is made, and its consumer comes.
        warm, total = rate, int(rate * (seconds + 1))
        watching = asyncio.create_task(watch())
        begin = time.perf_counter() + 1.0
        async with asyncio.TaskGroup() as tasks:
            for n in range(total):
                await asyncio.sleep(max(0.0, begin + n / rate - time.perf_counter()))
                tasks.create_task(say(n))
        await pair.follower.caught_up(total + 1, 60)
        await asyncio.sleep(0.1)
        watching.cancel()
    waited = [max(0.0, arrived[at] - answered[at]) for at in answered if at > warm + 1]
    return sorted(1_000 * wait for wait in waited)


def _on_the_way(report: Report, new_url: NewUrl, transport: str, amqp: str | None, rate: int, seconds: float) -> None:
    found: list[Sequence[float]] = []

    def median() -> float:
        found.append(uvloop.run(_latencies(new_url, amqp, rate, seconds)))
        return found[-1][len(found[-1]) // 2]

    name = f"append answered to import committed, {transport}, {rate:,} events/s"
    report.compare(f"{name}, median", "ms", median)
    tails = iter([found[0], *found])
    report.compare(f"{name}, p99", "ms", lambda: (tail := next(tails))[int(len(tail) * 0.99)])


def _catching_up(report: Report, engine: str, source: str, new_url: NewUrl) -> None:
    filled = Avow(source)
    filled.fill(CAUGHT_UP)
    filled.close()
    with served("avow", source) as port:
        report.compare(
            f"catching up over the feed, {CAUGHT_UP:,} events, into {engine}",
            "events/s",
            lambda: uvloop.run(_caught_up(f"http://127.0.0.1:{port}", new_url())),
        )


async def _caught_up(feed: str, importer_url: str) -> float:
    ports = Ports()
    async with (
        FeedClient(feed, TOKEN) as client,
        a_log(importer_url, ports, (ORG,), "evaluation", (Noted,)) as importer,
    ):
        follower = Follower(client, Inbox(importer.database, importer.appender, ORG), ORG, ports)
        begin = time.perf_counter()
        follower.start()
        await follower.caught_up(CAUGHT_UP, 600)
        passed = time.perf_counter() - begin
        await follower.stop()
        return CAUGHT_UP / passed
