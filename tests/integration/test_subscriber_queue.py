"""A subscriber with a queue: nothing is missed and nothing doubled, whatever becomes of the queue and the broker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import aio_pika
import pytest
from msgspec import structs

from avow.bus import place
from avow.bus.publisher import RabbitPublisher, close, connect
from avow.bus.relay import Relay
from avow.bus.topology import declare_subscriber, subscriber_keys, subscriber_queue
from avow.contracts.envelope import encode
from avow.contracts.organisation import PersonRegistered
from avow.contracts.wire import EVENTS
from avow.kernel.ports import Ports
from avow.subscriber import Received, Source, Start, Subscription, subscribe
from avow.subscriber.following import Pace
from avow.subscriber.queue import Queue
from tests.kit.logs import ORG, Log, a_log, a_person, proposed
from tests.kit.rabbit import PrivateRabbit
from tests.unit.bus.serving import say, serving

PATIENCE = 120.0
NAME = "reporting"
BRISK = Pace(page=40, compare_every=0.3, shortest_pause=0.01, longest_pause=0.2)
CALM = replace(BRISK, compare_every=600.0)


@dataclass(frozen=True)
class Published:
    """A log whose events are published, and a queue they go to."""

    log: Log
    url: str
    amqp: str

    def subscribe(self, pace: Pace = BRISK, **told: object) -> tuple[Subscription, Queue]:
        """A subscription that hears over the queue."""
        queue = Queue(self.amqp, subscriber_queue(NAME))
        return subscribe(Source(self.url, "token", ORG), queue=queue, pace=pace, **told), queue  # type: ignore[arg-type]

    async def make_queue(self, types: Sequence[str] = ()) -> None:
        connection = await connect(self.amqp, "test")
        try:
            await declare_subscriber(connection, NAME, subscriber_keys((ORG,), types))
        finally:
            await close(connection)

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Publish until the block ends."""
        relay = Relay(
            RabbitPublisher(self.amqp, "pledge", "evaluation"), self.log.database, ORG, self.log.grown, Ports()
        )
        relay.start()
        try:
            yield
        finally:
            await relay.stop()


@pytest.fixture
async def published(log: Log, amqp_url: str) -> AsyncIterator[Published]:
    async with serving(log) as url:
        yield Published(log, url, amqp_url)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    async with a_log(f"sqlite:///{tmp_path}/source.db") as log:
        await log.database.write(place.metadata.create_all)
        yield log


class Taking:
    """Takes what comes until so much has come."""

    def __init__(self, subscription: Subscription) -> None:
        self.events: list[Received] = []
        self._task = asyncio.create_task(self._take(subscription))

    async def _take(self, subscription: Subscription) -> None:
        async with aclosing(subscription.batches()) as batches:
            async for batch in batches:
                self.events += batch

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.events) < count:
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.01)

    async def end(self) -> list[int]:
        """The sequences that came."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return [received.sequence for received in self.events]


async def connected(queue: Queue, is_so: bool = True) -> None:
    async with asyncio.timeout(PATIENCE):
        while queue.connected is not is_so:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def published_so_far(published: Published) -> None:
    """Make the queue once the exchanges are there, which a service makes as it first publishes."""
    async with published.publishing(), asyncio.timeout(PATIENCE):
        while True:
            try:
                await published.make_queue()
            except aio_pika.exceptions.AMQPError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_it_hears_over_the_queue_without_asking_the_feed(published: Published) -> None:
    await say(published.log, *range(60))
    await published_so_far(published)
    subscription, queue = published.subscribe(CALM)
    taking = Taking(subscription)
    await connected(queue)
    await taking.until(61)
    async with published.publishing():
        # The first of these may find it still listening to the feed.
        for n in range(50):
            await say(published.log, 100 + n)
            await taking.until(62 + n)
    assert await taking.end() == list(range(1, 112))


@pytest.mark.parametrize("types", [None, [PersonRegistered]])
async def test_a_queue_that_loses_doubles_and_shuffles_leaves_no_gap(
    published: Published, types: list[type[PersonRegistered]] | None
) -> None:
    await published_so_far(published)
    subscription, queue = published.subscribe(CALM, types=types)
    taking = Taking(subscription)
    await connected(queue)
    dice = Random(1)
    connection = await connect(published.amqp, "test")
    exchange = await (await connection.channel()).get_exchange(EVENTS, ensure=False)
    for n in range(40):
        before = (await published.log.head()).sequence
        await say(published.log, n, n + 1000)
        await published.log.append(*(proposed(a_person(10 * n + k)) for k in range(5)))
        envelopes = [each for each in await published.log.envelopes() if each.sequence > before]
        told = dice.choices(envelopes, k=3) if n < 39 else envelopes[-1:]
        for each in told:
            await exchange.publish(aio_pika.Message(encode(each)), f"{ORG}.{each.type}")
    await close(connection)
    envelopes = await published.log.envelopes()
    wanted = [each.sequence for each in envelopes if types is None or each.type == "person.registered"]
    await taking.until(len(wanted))
    assert await taking.end() == wanted


async def test_a_queue_that_is_too_short_leaves_no_gap(published: Published, rabbit: PrivateRabbit) -> None:
    await published_so_far(published)
    vhost = published.amqp.rpartition("/")[2]
    rabbit.ctl("set_policy", "-p", vhost, "short", r"^subscriber\.", '{"max-length":3}', "--apply-to", "queues")
    async with published.publishing():
        await say(published.log, *range(40))
        subscription, queue = published.subscribe(start=Start.NEW)
        taking = Taking(subscription)
        await connected(queue)
        await say(published.log, *range(40, 80))
        await taking.until(40)
    sequences = await taking.end()
    assert sequences == list(range(sequences[0], 82))


async def test_a_deleted_queue_is_done_without_and_used_again_once_it_is_there(
    published: Published, rabbit: PrivateRabbit
) -> None:
    await published_so_far(published)
    subscription, queue = published.subscribe()
    taking = Taking(subscription)
    await connected(queue)
    async with published.publishing():
        await say(published.log, *range(20))
        await taking.until(21)
        await asyncio.to_thread(rabbit.delete_queue, published.amqp, subscriber_queue(NAME))
        await connected(queue, False)
        await say(published.log, *range(20, 40))
        await taking.until(41)
        await published.make_queue()
        await connected(queue)
        await say(published.log, *range(40, 60))
        await taking.until(61)
    assert await taking.end() == list(range(1, 62))


async def test_a_broker_that_restarts_costs_nothing(published: Published, rabbit: PrivateRabbit) -> None:
    await published_so_far(published)
    subscription, queue = published.subscribe()
    taking = Taking(subscription)
    await connected(queue)
    async with published.publishing():
        await say(published.log, *range(20))
        await taking.until(21)
        await asyncio.to_thread(rabbit.settle)
        rabbit.kill()
        await connected(queue, False)
        await say(published.log, *range(20, 40))
        await taking.until(41)
        rabbit.revive()
        await connected(queue)
        await say(published.log, *range(40, 60))
        await taking.until(61)
    assert await taking.end() == list(range(1, 62))


async def test_garbage_duplicates_and_forgeries_are_passed_over_and_counted(published: Published) -> None:
    await say(published.log, *range(10))
    await published_so_far(published)
    subscription, queue = published.subscribe()
    taking = Taking(subscription)
    await connected(queue)
    await taking.until(11)
    connection = await connect(published.amqp, "test")
    channel = await connection.channel()
    exchange = await channel.get_exchange(EVENTS, ensure=False)
    envelopes = await published.log.envelopes()
    forged = structs.replace(envelopes[-1], sequence=12, data=b'{"forged":true}')
    bodies = [b"", b"garbage", b"\xff\xfe", encode(forged)]
    for body in bodies:
        await exchange.publish(aio_pika.Message(body), f"{ORG}.unit.registered")
    await exchange.publish(aio_pika.Message(encode(envelopes[3])), f"{ORG}.unit.registered")
    async with asyncio.timeout(PATIENCE):
        while queue.passed_over < len(bodies):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await say(published.log, 50)
    await taking.until(12)
    await close(connection)
    assert await taking.end() == list(range(1, 13))
    assert queue.passed_over == len(bodies)
    assert taking.events[-1].envelope == (await published.log.envelopes())[-1]


async def test_a_broker_that_was_never_there_is_done_without(published: Published) -> None:
    nowhere = replace(published, amqp="amqp://guest:guest@127.0.0.1:1/")
    subscription, queue = nowhere.subscribe(start=Start.NEW)
    taking = Taking(subscription)
    await asyncio.sleep(0.5)
    await say(published.log, *range(20))
    await taking.until(20)
    assert not queue.connected
    assert await taking.end() == list(range(2, 22))
