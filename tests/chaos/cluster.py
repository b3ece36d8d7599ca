"""Beside a run on a cluster: a subscriber's queue keeps everything that was published, and is read at the end.

Promises: what the relays noted as confirmed is compared with what the cluster kept; neither the feed nor an inbox is
asked (tests/chaos/test_cluster.py).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aio_pika
from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError

from avow.bus.topology import inbox_queue
from avow.contracts.wire import EVENTS, queue_of
from tests.chaos.callers import ORG
from tests.chaos.ledger import SERVICES
from tests.chaos.pair import Pair
from tests.kit.rabbit_cluster import PrivateCluster

QUEUE = queue_of("chaos")
REACHED_WITHIN = 60.0
_LOOKS = 60


@dataclass
class Subscriber:
    """What a subscriber was given, by its body; `watching` is the run."""

    kept: set[bytes] = field(default_factory=set)
    left: dict[str, int] = field(default_factory=dict)
    """How many messages the services' own queues hold at the end, once it does not change."""

    @asynccontextmanager
    async def watching(self, pair: Pair) -> AsyncIterator[None]:
        """Have a queue from now on, and read it when the run is over."""
        cluster = pair.rabbit
        assert isinstance(cluster, PrivateCluster)
        async with await _reached(cluster) as connection:
            channel = await connection.channel()
            events = await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True)
            queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
            await queue.bind(events, "#")
        yield
        for service in SERVICES:
            self.left[service] = await _depth(cluster, inbox_queue(service, ORG).name)
        async with await _reached(cluster) as connection:
            queue = await (await connection.channel()).get_queue(QUEUE)
            while (message := await queue.get(fail=False, timeout=REACHED_WITHIN)) is not None:
                self.kept.add(message.body)
                await message.ack()


async def _depth(cluster: PrivateCluster, queue: str) -> int:
    """What is in a queue, or 0 as soon as it is empty."""
    depth = -1
    for _ in range(_LOOKS):
        depth = await asyncio.to_thread(cluster.nodes[0].depth, cluster.urls[0], queue)
        if depth == 0:
            break
        await asyncio.sleep(0.5)
    return depth


async def _reached(cluster: PrivateCluster) -> AbstractConnection:
    """A connection to the first node that takes one."""
    async with asyncio.timeout(REACHED_WITHIN):
        while True:
            for url in cluster.urls:
                try:
                    return await aio_pika.connect(url, timeout=5)
                except (OSError, TimeoutError, AMQPError):
                    await asyncio.sleep(0.2)
