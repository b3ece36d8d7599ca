"""The private cluster goes on without the node that led. About twenty seconds; `-m cluster` runs it alone."""

import asyncio
import os

import aio_pika
import pytest

from tests.kit.rabbit_cluster import PrivateCluster

pytestmark = pytest.mark.cluster

QUEUE = "kept"


async def _publish(url: str, *bodies: bytes) -> None:
    """Makes the queue unless it is there, and returns when the cluster has confirmed every message."""
    async with await aio_pika.connect(url, timeout=10) as connection:
        channel = await connection.channel()
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        for body in bodies:
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, routing_key=QUEUE, timeout=30)


async def _take(url: str, how_many: int) -> list[bytes]:
    """The first messages; raises `TimeoutError` if they do not come."""
    taken: list[bytes] = []
    async with await aio_pika.connect(url, timeout=10) as connection, asyncio.timeout(30):
        queue = await (await connection.channel()).get_queue(QUEUE)
        async with queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                taken.append(message.body)
                if len(taken) == how_many:
                    break
    return taken


async def test_a_confirmed_message_outlives_the_node_that_led_its_queue() -> None:
    with PrivateCluster() as cluster:
        await _publish(cluster.urls[0], b"one", b"two")
        led = cluster.leader_of(QUEUE)
        cluster.nodes[led].settle()
        cluster.kill(led)
        now = cluster.leader_of(QUEUE)
        assert now != led
        await _publish(cluster.urls[now], b"three")
        assert await _take(cluster.urls[now], 3) == [b"one", b"two", b"three"]

        cluster.revive(led)
        await _publish(cluster.urls[led], b"four")
        assert await _take(cluster.urls[led], 1) == [b"four"]
        pids = {cluster.mapper.pid, *(node.pid for node in cluster.nodes)}
        assert len(pids) == 4
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
