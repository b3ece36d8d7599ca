"""Between the services: publishing beside the bare client, how long an event is on its way, and catching up."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import aio_pika
import structlog
import uvloop
from faststream.rabbit import RabbitBroker, RabbitExchange
from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, Table, insert

from avow.bus import place
from avow.bus.feed_client import FeedClient
from avow.bus.follower import PAGE, Follower
from avow.bus.inbox import Inbox
from avow.bus.publisher import RabbitPublisher, connect
from avow.bus.relay import WINDOW, Relay
from avow.contracts import wire
from avow.contracts.envelope import Envelope, encode
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports
from benchmarks.commands import served
from benchmarks.contenders import Avow
from benchmarks.latency import measure_latency
from benchmarks.measure import Report
from benchmarks.serving import TOKEN
from benchmarks.workload import ORG, Noted, fields
from tests.kit.logs import Log, a_log, proposed
from tests.kit.rabbit import PrivateRabbit

PUBLISHED = 10_000
CAUGHT_UP = 50_000
copied = Table("copied", MetaData(), Column("sequence", BigInteger, primary_key=True), Column("line", LargeBinary))
"""Where the bare copy goes."""
NewUrl = Callable[[], str]


def measure_bus(report: Report, new_url: dict[str, NewUrl], seconds: float) -> None:
    """Every figure of the bus."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with PrivateRabbit() as broker:
        _publishing(report, new_url["postgresql"](), broker.create_vhost())
        measure_latency(report, new_url["postgresql"], broker.create_vhost, seconds)
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


def _catching_up(report: Report, engine: str, source: str, new_url: NewUrl) -> None:
    filled = Avow(source)
    filled.fill(CAUGHT_UP)
    filled.close()
    with served("avow", source) as port:
        report.compare(
            f"catching up over the feed, {CAUGHT_UP:,} events, into {engine}",
            "events/s",
            lambda: uvloop.run(_caught_up(f"http://127.0.0.1:{port}", new_url())),
            limit=lambda: uvloop.run(_copied(f"http://127.0.0.1:{port}", new_url())),
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


async def _copied(feed: str, url: str) -> float:
    """What a bare copy of the pages does: nothing is looked into, chained or indexed but the sequence."""
    database = open_database(url)
    await database.write(copied.metadata.create_all)
    async with FeedClient(feed, TOKEN) as client:
        begin = time.perf_counter()
        fetching = asyncio.create_task(client.page(ORG, 0, PAGE))
        while True:
            page = await fetching
            if page.scanned_to < page.head:
                fetching = asyncio.create_task(client.page(ORG, page.scanned_to, PAGE))
            first = page.scanned_to - len(page.lines) + 1
            rows = [{"sequence": n, "line": line} for n, line in enumerate(page.lines, first)]
            await database.write(partial(_insert, rows=rows))
            if page.scanned_to >= page.head:
                break
        passed = time.perf_counter() - begin
    await database.close()
    return CAUGHT_UP / passed


def _insert(connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
    return connection.execute(insert(copied), rows).rowcount
