"""Publishing to RabbitMQ with aio-pika: a line of the feed as the body, persistent, mandatory, confirmed.

The body is the event as the feed gives it, byte for byte (CloudEvents, structured mode); properties and headers repeat
what brokers and tools route, trace and show by. Promises: `publish` is True only for what the broker has confirmed;
each wait ends (tests/integration/test_relay.py).
"""

import asyncio
from contextlib import suppress
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, PublishError
from aiormq import Channel as Beneath
from pamqp.commands import Basic
from pamqp.common import FieldTable

from avow.bus.relay import BrokerUnavailable, Publishing
from avow.bus.topology import declare
from avow.contracts import wire
from avow.contracts.envelope import Envelope, encode
from avow.observe import tracing
from avow.observe.tracing import SpanKind

CONNECT = 10.0
HEARTBEAT = 10
"""Seconds between signs of life; a connection that gives none for twice as long is closed."""
CLOSE = 3.0
BROKER_AWAY = (AMQPError, OSError, TimeoutError, RuntimeError)
"""What aio-pika raises where the broker is away; RuntimeError is its word for a closed connection or channel."""


class RabbitPublisher:
    """Connects a service to the broker at `url`."""

    def __init__(self, url: str, service: str, source: str) -> None:
        self._url = url
        self._service = service
        self._source = source

    async def connect(self) -> Publishing:
        """A connection of its own, and the exchange it publishes to; raises BrokerUnavailable."""
        try:
            async with asyncio.timeout(CONNECT):
                connection = await connect(self._url, f"avow {self._service} relay")
                try:
                    channel = await self._channel(connection)
                except BaseException:
                    # Who is stopped half-way leaves no connection behind either.
                    await close(connection)
                    raise
        except BROKER_AWAY as error:
            raise BrokerUnavailable(type(error).__name__) from error
        return _RabbitPublishing(connection, channel, wire.exchange_of(self._service))

    async def _channel(self, connection: AbstractConnection) -> Beneath:
        await declare(connection, self._service, self._source)
        channel = await (await connection.channel(on_return_raises=True)).get_underlay_channel()
        assert isinstance(channel, Beneath)
        return channel


class _RabbitPublishing:
    """Publishes on the channel beneath aio-pika's, which need not wait for each message to leave the process.

    What keeps them few is the relay's window. It is twice as fast (benchmarks/bus.py).
    """

    def __init__(self, connection: AbstractConnection, channel: Beneath, exchange: str) -> None:
        self._connection = connection
        self._channel = channel
        self._exchange = exchange

    async def publish(self, envelope: Envelope) -> bool:
        body, key = encode(envelope), wire.routing_key(envelope.org, envelope.type)
        said = {"org": envelope.org, "type": envelope.type}
        published = tracing.span("publish", envelope.traceparent, SpanKind.PRODUCER, **said)
        try:
            with published as onward:
                properties = properties_of(envelope)
                if onward != envelope.traceparent and properties.headers is not None:
                    properties.headers["traceparent"] = onward
                await self._channel.basic_publish(
                    body, exchange=self._exchange, routing_key=key, properties=properties, mandatory=True, wait=False
                )
        except PublishError:
            # Confirmed as well, and returned: nobody wants it.
            return False
        except BROKER_AWAY as error:
            raise BrokerUnavailable(type(error).__name__) from error
        return True

    @property
    def closed(self) -> bool:
        return self._connection.is_closed or self._channel.is_closed

    async def close(self) -> None:
        await close(self._connection)


async def connect(url: str, name: str) -> AbstractConnection:
    """A plain connection, which says at once that it broke: whoever uses it makes a new one."""
    return await aio_pika.connect(beating(url), client_properties={"connection_name": name})


def beating(url: str) -> str:
    """The address of a broker, and that its connections show signs of life."""
    return f"{url}{'&' if '?' in url else '?'}heartbeat={HEARTBEAT}"


async def close(connection: AbstractConnection) -> None:
    """Close a connection that may be half dead; a broker in memory alarm reads no goodbye."""
    with suppress(*BROKER_AWAY):
        async with asyncio.timeout(CLOSE):
            await connection.close()


def properties_of(envelope: Envelope) -> Basic.Properties:
    """What an event's message says outside its body, in the terms of the client."""
    said: dict[str, Any] = wire.properties(envelope)
    said |= {"message_type": said.pop("type"), "timestamp": envelope.occurred_at}
    headers: FieldTable = dict(wire.headers(envelope))
    return Basic.Properties(headers=headers, **said)
