"""A life's wires to the broker: the relay's publisher, and the ear that fills the production `Deliveries`.

They stand for publisher.py and for `Queues` of queue.py, whose own tests run against RabbitMQ.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError

from avow.bus.follower import pause
from avow.bus.publisher import CONNECT
from avow.bus.queue import Deliveries
from avow.bus.relay import BrokerUnavailable
from avow.contracts.envelope import Envelope, encode
from avow.contracts.wire import exchange_of
from tests.simulation.broker import Broker, Connection, Message
from tests.simulation.world import Life


async def _dial(broker: Broker, life: Life) -> None:
    """Reach the broker, or find that it is away, at once or by waiting."""
    broker.world.touch(life, "broker: connect")
    await broker.world.wait(life, broker.delay())
    if broker.down:
        await broker.world.wait(life, broker.chance.choice((0.0, CONNECT)))
        raise BrokerUnavailable("ConnectionRefusedError")
    broker.world.touch(life, "broker: connected")


class Wire:
    """A `Publisher` of one life."""

    def __init__(self, broker: Broker, life: Life, service: str) -> None:
        self._broker, self._life, self._service = broker, life, service

    async def connect(self) -> "Publishing":
        await _dial(self._broker, self._life)
        return Publishing(self._broker, self._life, self._service)


class Publishing:
    """A connection that publishes."""

    def __init__(self, broker: Broker, life: Life, service: str) -> None:
        self._broker, self._life, self._service = broker, life, service
        self._lost = asyncio.Event()
        self._connection = broker.connect(life, self._lost.set)

    async def publish(self, envelope: Envelope) -> bool:
        broker, weather, sequence = self._broker, self._broker.weather, envelope.sequence
        broker.world.touch(self._life, f"broker: publish {sequence}")
        broker.published(self._life)
        await broker.world.wait(self._life, broker.delay())
        if not self._connection.carries():
            await self._never()
        if weather.strikes(broker.chance, weather.refused):
            broker.world.seen["publish refused"] += 1
            raise BrokerUnavailable("publish.refused")
        line = encode(envelope)
        routed = broker.store(self._service, line, sequence)
        broker.world.seen["routed" if routed else "unrouted"] += 1
        if weather.strikes(broker.chance, weather.doubled):
            broker.store(self._service, line, sequence)
        if weather.strikes(broker.chance, weather.garbage):
            broker.store(self._service, broker.chance.choice((b"\x00", line[:-9], line.replace(b"20", b"21"))), None)
        if weather.strikes(broker.chance, weather.unconfirmed):
            broker.world.seen["never confirmed"] += 1
            await self._never()
        await broker.world.wait(self._life, broker.delay())
        if not self._connection.carries():
            await self._never()
        broker.confirmed[self._service].add(sequence)
        broker.world.touch(self._life, f"broker: confirmed {sequence}")
        return routed

    async def _never(self) -> None:
        """No answer comes, until the connection is known to be gone."""
        await self._lost.wait()
        raise BrokerUnavailable("ConnectionClosed")

    @property
    def closed(self) -> bool:
        return not self._connection.open

    async def close(self) -> None:
        self._connection.close()


class Delivery:
    """As much of a delivery as is used of one."""

    def __init__(self, ear: "Ear", connection: Connection, tag: int, message: Message) -> None:
        self.body = message.body
        self.exchange = exchange_of(ear.source)
        self.routing_key = self.message_id = None
        self.sequence = message.sequence
        self.tag = tag
        self._ear, self._connection = ear, connection

    async def ack(self, multiple: bool = False) -> None:
        broker, connection = self._ear.broker, self._connection
        broker.world.touch(connection.life, f"broker: ack {'up to ' if multiple else ''}{self.sequence}")
        if not connection.open:
            raise ChannelInvalidStateError("the channel is closed")
        tags = [tag for tag in connection.held if tag <= self.tag] if multiple else [self.tag]
        for tag in tags:
            broker.acknowledge(connection, self._ear.source, tag)


class Ear:
    """Consumes what another service publishes, between `start` and the end of its life."""

    def __init__(self, broker: Broker, life: Life, source: str, line: Deliveries) -> None:
        self.broker, self.source = broker, source
        self._life, self._line = life, line
        self._failures = 0

    async def run(self) -> None:
        """Connect and consume, again and again."""
        while True:
            try:
                await _dial(self.broker, self._life)
                self._failures = 0
                lost = asyncio.Event()
                connection = self.broker.connect(self._life, lost.set)
                self.broker.consume(connection, self.source, self._arrived(connection))
                try:
                    await lost.wait()
                finally:
                    self._line.clear()
                    connection.close()
            except BrokerUnavailable:
                pass
            await asyncio.sleep(pause(self._failures, self._life.ports))
            self._failures += 1

    def _arrived(self, connection: Connection) -> Callable[[int, Message], None]:
        def put(tag: int, message: Message) -> None:
            if self._life.alive:
                self._line.put(cast(AbstractIncomingMessage, Delivery(self, connection, tag, message)))

        return put
