"""Publishing to RabbitMQ with aio-pika: a line of the feed as the body, persistent, mandatory, confirmed.

The body is the event as the feed gives it, byte for byte (CloudEvents, structured mode); properties and headers repeat
what brokers and tools route, trace and show by. Promises: `publish` is True only for what the broker has confirmed;
each wait ends (tests/integration/test_relay.py).
"""

import asyncio
from contextlib import suppress

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, HeadersType
from aio_pika.exceptions import AMQPError, DeliveryError
from aiormq.exceptions import PublishError

from avow.bus.relay import BrokerUnavailable, Publishing
from avow.bus.topology import declare, exchange_of, routing_key
from avow.contracts import moment
from avow.contracts.envelope import Envelope, encode

CONNECT = 10.0
HEARTBEAT = 10
"""Seconds between signs of life; a connection that gives none for twice as long is closed."""
CLOSE = 3.0
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
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
        connection: AbstractConnection | None = None
        try:
            async with asyncio.timeout(CONNECT):
                connection = await connect(self._url, f"avow {self._service} relay")
                await declare(connection, self._service, self._source)
                channel = await connection.channel(on_return_raises=True)
                exchange = await channel.get_exchange(exchange_of(self._service), ensure=False)
        except BROKER_AWAY as error:
            if connection is not None:
                await close(connection)
            raise BrokerUnavailable(type(error).__name__) from error
        return _RabbitPublishing(connection, channel, exchange)


class _RabbitPublishing:
    def __init__(self, connection: AbstractConnection, channel: AbstractChannel, exchange: AbstractExchange) -> None:
        self._connection = connection
        self._channel = channel
        self._exchange = exchange

    async def publish(self, envelope: Envelope) -> bool:
        try:
            await self._exchange.publish(message_of(envelope), routing_key(envelope.org, envelope.type))
        except (PublishError, DeliveryError) as error:
            # A returned message is confirmed as well; a refused one is not, and is tried again.
            if isinstance(error, PublishError):
                return False
            raise BrokerUnavailable("publish.refused") from error
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


def message_of(envelope: Envelope) -> Message:
    """An event as a message."""
    source = f"/avow/{envelope.org}/{envelope.service}/{envelope.log_id}"
    wire_type = f"avow.{envelope.type}.v{envelope.schema}"
    headers: HeadersType = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": str(envelope.event_id),
        "cloudEvents_source": source,
        "cloudEvents_type": wire_type,
        "cloudEvents_subject": envelope.stream,
        "cloudEvents_time": moment.to_text(envelope.occurred_at),
        "cloudEvents_sequence": envelope.sequence,
    }
    if envelope.traceparent is not None:
        headers["traceparent"] = envelope.traceparent
    return Message(
        encode(envelope),
        headers=headers,
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=str(envelope.event_id),
        correlation_id=None if envelope.correlation_id is None else str(envelope.correlation_id),
        timestamp=envelope.occurred_at,
        type=wire_type,
        app_id="avow",
    )
