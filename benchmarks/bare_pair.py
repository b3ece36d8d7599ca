"""The least that could be called a pair: a row inserted, then a message published; a handler that inserts a row.

What a pledge's way over RabbitMQ costs at least on this machine. Nothing is kept together: an end between the row and
the message loses the message, nothing orders, hashes, checks or catches up, and there are no views. The source is
`python -m benchmarks.bare_pair DATABASE BROKER RATE SECONDS` and talks as the one of `latency.py`.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import asyncpg
import uvloop
from aio_pika.abc import DeliveryMode
from faststream.rabbit import QueueType, RabbitBroker, RabbitExchange, RabbitQueue

from avow.service.hosting import collect_seldom
from benchmarks.pacing import say_at
from benchmarks.workload import fields

EXCHANGE = RabbitExchange("bare", durable=True)
QUEUE = RabbitQueue("bare", durable=True, queue_type=QueueType.QUORUM, routing_key="bare")
_TABLE = "CREATE TABLE note (n bigint PRIMARY KEY, body text NOT NULL)"
_INSERT = "INSERT INTO note (n, body) VALUES ($1, $2) ON CONFLICT DO NOTHING"


@asynccontextmanager
async def receiving(url: str, amqp: str, arrived: dict[int, float]) -> AsyncIterator[None]:
    """Insert what comes, and note when each was committed."""
    async with _a_pool(url) as pool, RabbitBroker(amqp, logger=None) as broker:

        @broker.subscriber(QUEUE, EXCHANGE)
        async def receive(note: dict[str, object]) -> None:
            number = note["n"]
            assert isinstance(number, int)
            await pool.execute(_INSERT, number, json.dumps(note))
            arrived[number] = time.perf_counter()

        await broker.start()
        yield


async def _source(url: str, amqp: str, rate: int, seconds: float) -> None:
    answered = dict[int, float]()
    async with _a_pool(url) as pool, await aio_pika.connect(amqp) as connection:
        print(0, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        exchange = await (await connection.channel()).get_exchange("bare")

        async def say(n: int) -> None:
            body = json.dumps({"n": n, **fields("c", n)})
            await pool.execute(_INSERT, n, body)
            answered[n] = time.perf_counter()
            message = aio_pika.Message(
                body.encode(), content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT
            )
            await exchange.publish(message, "bare")

        await say_at(rate, seconds, say)
        print(json.dumps(answered), flush=True)
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def _a_pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=8, max_size=8) as pool:
        await pool.execute(_TABLE)
        yield pool


if __name__ == "__main__":
    collect_seldom()
    uvloop.run(_source(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
