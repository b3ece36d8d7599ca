"""How much waits in the queues of the broker, and who listens: asked for passively, so that nothing is made.

Promises: each queue is asked for over a channel of its own, since a broker closes the channel on which it is asked for
one that is not there (tests/integration/test_depth.py).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aio_pika.exceptions import ChannelNotFoundEntity

from avow.bus.publisher import BROKER_AWAY, CONNECT, close, connect
from avow.bus.relay import BrokerUnavailable


@dataclass(frozen=True)
class QueueDepth:
    """How many messages are ready in a queue, and how many consume it."""

    messages: int
    consumers: int


async def depths(url: str, queues: Iterable[str]) -> dict[str, QueueDepth | None]:
    """What waits in each of these queues; None for one that is not there. Raises BrokerUnavailable."""
    try:
        async with asyncio.timeout(CONNECT):
            connection = await connect(url, "avow status")
    except BROKER_AWAY as error:
        raise BrokerUnavailable(type(error).__name__) from error
    found: dict[str, QueueDepth | None] = {}
    try:
        async with asyncio.timeout(CONNECT):
            for name in queues:
                try:
                    async with connection.channel() as channel:
                        declared = (await channel.declare_queue(name, passive=True)).declaration_result
                        found[name] = QueueDepth(declared.message_count or 0, declared.consumer_count or 0)
                except ChannelNotFoundEntity:
                    found[name] = None
    except BROKER_AWAY as error:
        raise BrokerUnavailable(type(error).__name__) from error
    finally:
        await close(connection)
    return found
