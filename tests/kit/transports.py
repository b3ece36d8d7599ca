"""The pair's two ways to hear of each other, each set up the same way: a source, an importer, and what lies between.

async with a_line("rabbitmq", folder, amqp_url) as line:
    await say(line.source, 1, 2, 3)
    await line.has_imported_all()
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity

from avow.bus import place
from avow.bus.dead import DeadLetters
from avow.bus.feed_client import FeedClient
from avow.bus.follower import Follower
from avow.bus.inbox import Inbox
from avow.bus.publisher import RabbitPublisher, connect
from avow.bus.queue import Queues
from avow.bus.relay import Relay
from avow.contracts.wire import exchange_of
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, Log, a_log
from tests.unit.bus.serving import free_port, imported_by, lines_of, serving

Transport = Literal["feed", "rabbitmq"]
PATIENCE = 60.0


@dataclass
class Line:
    """A source that publishes, and an importer that hears of it."""

    transport: Transport
    source: Log
    importer: Log
    feed_url: str
    amqp_url: str
    ports: Ports = field(default_factory=Ports)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay | None]:
        """A process of the source that publishes, where there is something to publish to."""
        if self.transport == "feed":
            yield None
            return
        publisher = RabbitPublisher(self.amqp_url, "pledge", "evaluation")
        relay = Relay(publisher, self.source.database, ORG, self.source.grown, self.ports)
        relay.start()
        try:
            yield relay
        finally:
            await relay.stop()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Follower]:
        """A process of the importer that hears."""
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(FeedClient(self.feed_url, "token"))
            listen = None
            if self.transport == "rabbitmq":
                bury = DeadLetters(self.importer.database, self.ports).bury
                queues = Queues(self.amqp_url, "evaluation", "pledge", self.ports, bury)
                listen = queues.of(ORG).listen
                queues.start()
                stack.push_async_callback(queues.stop)
            inbox = Inbox(self.importer.database, self.importer.appender, ORG)
            follower = Follower(client, inbox, ORG, self.ports, listen)
            follower.start()
            stack.push_async_callback(follower.stop)
            yield follower

    async def has_imported_all(self) -> None:
        """Wait until the importer has every public event of the source; each once, in order, byte for byte."""
        lines = await lines_of(self.source)
        await until(self._imported(len(lines)))
        assert await imported_by(self.importer) == list(enumerate(lines, 1))

    def _imported(self, count: int) -> Callable[[], "asyncio.Future[bool]"]:
        async def look() -> bool:
            return len(await imported_by(self.importer)) >= count

        return lambda: asyncio.ensure_future(look())

    async def is_consumed(self) -> None:
        """Wait until the importer's queue has its consumer."""
        connection = await connect(self.amqp_url, "test")

        async def look() -> bool:
            with suppress(ChannelNotFoundEntity):
                queue = await (await connection.channel()).declare_queue(f"evaluation.inbox.{ORG}", passive=True)
                return queue.declaration_result.consumer_count == 1
            return False

        try:
            await until(lambda: asyncio.ensure_future(look()))
        finally:
            await connection.close()

    async def publish_as_it_is(self, *bodies: bytes, key: str = f"{ORG}.pledge.made") -> None:
        """Put bytes on the broker beside the relay."""
        connection = await connect(self.amqp_url, "test")
        try:
            channel = await connection.channel()
            exchange = await channel.get_exchange(exchange_of("pledge"))
            for body in bodies:
                await exchange.publish(aio_pika.Message(body, delivery_mode=2), key)
        finally:
            await connection.close()


async def until(holds: "Callable[[], bool | asyncio.Future[bool]]", patience: float = PATIENCE) -> None:
    """Wait until this holds; TimeoutError after `patience` seconds."""
    async with asyncio.timeout(patience):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def a_line(transport: Transport, folder: Path, amqp_url: str = "", importer_url: str = "") -> AsyncIterator[Line]:
    """The two logs and the source's feed; whoever publishes or follows is begun by the test."""
    importer_url = importer_url or f"sqlite:///{folder}/importer.db"
    async with (
        a_log(f"sqlite:///{folder}/source.db") as source,
        a_log(importer_url, Ports(SimulatedClock(START), seeded(2)), service="evaluation") as importer,
        serving(source, free_port()) as feed_url,
    ):
        await source.database.write(place.metadata.create_all)
        await importer.database.write(place.metadata.create_all)
        yield Line(transport, source, importer, feed_url, amqp_url)
