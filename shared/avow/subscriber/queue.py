"""Hearing over RabbitMQ: the queue `avow subscriber add` made, `subscriber.<name>`. Needs `avow[amqp]`.

    subscribe(pledge, evaluation, queue=Queue("amqp://…", "subscriber.reporting"))

Promises: it reconnects by itself, and each wait ends; what is no sound event is passed over and counted; what is heard
is acknowledged at once, since the feed has it too, and no more than MOST events of a log are held
(tests/integration/test_subscriber_queue.py).
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from avow.bus.background import Background
from avow.contracts.envelope import Envelope, NotAnEnvelope, decode
from avow.subscriber.following import Pace
from avow.subscriber.place import LogKey

CONNECT = 10.0
CLOSE = 3.0
HEARTBEAT = 10
PREFETCH = 500
MOST = 5_000
"""The most events of a log that are held; what comes beyond is left to the feed."""

log = logging.getLogger("avow.subscriber")


class QueueLine:
    """The events of one log as they are heard."""

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        self._events: deque[Envelope] = deque()
        self._came = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the queue is being consumed."""
        return self._queue.connected

    def put(self, event: Envelope) -> None:
        """Take an event in, as long as there is room."""
        if len(self._events) < MOST:
            self._events.append(event)
            self._came.set()

    async def take(self, at_most: float) -> list[Envelope]:
        """What has come, at least one event if there is any within `at_most` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._came.wait()
        self._came.clear()
        events = list(self._events)
        self._events.clear()
        return events


class Queue(Background):
    """The queue called `name` at the broker at `url`; `passed_over` counts what was no sound event of ours."""

    def __init__(self, url: str, name: str) -> None:
        self.connected = False
        self.passed_over = 0
        self._url = f"{url}{'&' if '?' in url else '?'}heartbeat={HEARTBEAT}"
        self._name = name
        self._lines: dict[LogKey, QueueLine] = {}

    def line(self, log: LogKey) -> QueueLine:
        """The line of a log; what comes before it is asked for is not kept."""
        return self._lines.setdefault(log, QueueLine(self))

    async def stop(self) -> None:
        """Close the connection."""
        await super().stop()
        self._lines.clear()

    async def _run(self) -> None:
        failures, pace = 0, Pace()
        while True:
            try:
                await self._consume()
            except Exception as error:  # noqa: BLE001 - the feed is read meanwhile, and the next round finds out
                if self.connected or not failures:
                    log.warning("%s cannot be heard (%s); reading the feed meanwhile", self._name, type(error).__name__)
            failures = 0 if self.connected else failures + 1
            self.connected = False
            await asyncio.sleep(pace.pause(failures))

    async def _consume(self) -> None:
        """Consume until the connection breaks or the queue is gone."""
        connection: AbstractConnection | None = None
        over = asyncio.Event()
        try:
            async with asyncio.timeout(CONNECT):
                connection = await aio_pika.connect(self._url, client_properties={"connection_name": self._name})
                connection.close_callbacks.add(lambda *_: over.set())
                channel = await connection.channel()
                channel.close_callbacks.add(lambda *_: over.set())
                # A queue that is deleted says so to whoever consumes it, and to nobody else.
                (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lambda _: over.set())
                await channel.set_qos(PREFETCH)
                queue = await channel.get_queue(self._name, ensure=False)
                await queue.consume(self._hear)
            self.connected = True
            await over.wait()
        finally:
            if connection is not None:
                with suppress(Exception):
                    async with asyncio.timeout(CLOSE):
                        await connection.close()

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        try:
            event = decode(message.body)
            if not event.leaf_holds():
                raise NotAnEnvelope("the leaf does not fit")
        except NotAnEnvelope:
            self.passed_over += 1
        else:
            line = self._lines.get(LogKey(event.org, event.service))
            if line is not None:
                line.put(event)
        # A connection that is gone needs no answer.
        with suppress(Exception):
            await message.ack()
