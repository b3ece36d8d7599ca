"""The topology: what there is on the broker, and what each thing is called. Nothing is declared anywhere else.

    avow.pledge ─────┬─ demo.# ─▶ evaluation.inbox.demo           a service publishes to an exchange of its own, which
    avow.evaluation ─┤                                            its account alone may write to; the other service's
                     └─ # ─▶ avow.events ─▶ subscriber.<name>     inbox is bound to it, everybody else to avow.events
    avow.dead ─ evaluation ─▶ evaluation.dead                     what the broker itself gives up, until the service
                                                                  keeps it among its dead letters (dead_queue.py)

Routing key: `<org>.<type>`, such as `demo.pledge.made`. Everything is durable and every queue a quorum queue; what may
be tuned (lengths, limits, ages) is a policy (deploy/rabbitmq), for a queue's arguments can never be changed.
Promises: what an administrator has declared is found and left as it is, so that a service's account needs no right to
declare an exchange (tests/integration/test_topology.py).
"""

from collections.abc import Iterable, Sequence

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import ChannelNotFoundEntity
from faststream.rabbit import Channel, RabbitExchange, RabbitQueue
from faststream.rabbit import ExchangeType as FastStreamExchangeType
from faststream.rabbit.schemas.queue import QueueType

from avow.contracts.wire import DEAD, EVENTS, dead_queue, exchange_of, routing_key

PREFETCH = 1_000
"""The most deliveries of one queue that are on their way to a commit."""


def inbox_queue(service: str, org: str) -> RabbitQueue:
    """Where a service hears of one organisation's events at the other; one process at a time consumes it."""
    return RabbitQueue(
        f"{service}.inbox.{org}",
        queue_type=QueueType.QUORUM,
        durable=True,
        routing_key=f"{org}.#",
        arguments={
            "x-single-active-consumer": True,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": service,
        },
    )


def subscriber_queue(name: str) -> str:
    """What a subscriber's queue is called, and the account that may read it and do nothing else."""
    return f"subscriber.{name}"


def subscriber_keys(orgs: Iterable[str], types: Sequence[str]) -> list[str]:
    """What a subscriber's queue is bound with: these types of these organisations, all where none is named."""
    return [routing_key(org, each) for org in orgs for each in types or ("#",)]


def source_exchange(service: str) -> RabbitExchange:
    """Where the events of a service are to be had; `declare` has made it."""
    return RabbitExchange(exchange_of(service), type=FastStreamExchangeType.TOPIC, declare=False)


def one_channel() -> Channel:
    """A channel for one queue, so that its prefetch is its own."""
    return Channel(prefetch_count=PREFETCH)


async def declare(connection: AbstractConnection, service: str, source: str) -> None:
    """Make what is missing of the exchanges of a service and of the one it hears, and of its queue of the dead.

    Raises aio-pika's AMQPError, such as where something is missing and this account may not make it.
    """
    for name in (service, source):
        if not await _is_there(connection, exchange_of(name)):
            async with connection.channel() as channel:
                own = await _exchange(channel, exchange_of(name))
                events = await _exchange(channel, EVENTS)
                await events.bind(own, "#")
    if not await _is_there(connection, DEAD):
        async with connection.channel() as channel:
            await _exchange(channel, DEAD)
    async with connection.channel() as channel:
        queue = await channel.declare_queue(dead_queue(service), durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(DEAD, service)


async def _is_there(connection: AbstractConnection, exchange: str) -> bool:
    async with connection.channel() as channel:
        try:
            await channel.declare_exchange(exchange, passive=True)
        except ChannelNotFoundEntity:
            return False
    return True


async def _exchange(channel: AbstractChannel, name: str) -> AbstractExchange:
    return await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)


async def declare_subscriber(connection: AbstractConnection, name: str, keys: Sequence[str]) -> None:
    """Make a subscriber's queue, bound with these keys and no others; raises aio-pika's AMQPError.

    Whatever was in a queue of that name goes with it: the feed has it. How long it may be is a policy.
    """
    async with connection.channel() as channel:
        await channel.queue_delete(subscriber_queue(name))
        queue = await channel.declare_queue(
            subscriber_queue(name), durable=True, arguments={"x-queue-type": QueueType.QUORUM.value}
        )
        for key in keys:
            await queue.bind(EVENTS, key)


async def remove_subscriber(connection: AbstractConnection, name: str) -> None:
    """Remove a subscriber's queue; raises aio-pika's AMQPError."""
    async with connection.channel() as channel:
        await channel.queue_delete(subscriber_queue(name))
