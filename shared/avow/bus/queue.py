"""Hearing over RabbitMQ: what the queues of a service deliver, held until it is committed.

FastStream consumes; its handlers only put each delivery into the line of its organisation, whose follower imports it.
Promises: a delivery is acknowledged only after its event is committed here; bytes that are no event of ours are kept
among the service's dead letters first, and hold nothing up (dead.py); whatever breaks is begun anew with a new
connection, and what was not acknowledged comes again (tests/integration/test_queue.py).
Limit: at most PREFETCH deliveries of an organisation are held in memory.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog
from aio_pika.abc import AbstractIncomingMessage
from faststream import AckPolicy
from faststream.rabbit import RabbitBroker, RabbitMessage

from avow.bus.background import Background
from avow.bus.dead import Bury, garbage
from avow.bus.dead_queue import DeadQueue
from avow.bus.follower import pause
from avow.bus.gathering import ended
from avow.bus.publisher import CLOSE, CONNECT, beating, close, connect
from avow.bus.taken import Taken
from avow.bus.topology import declare, inbox_queue, one_channel, source_exchange
from avow.eventlog.dead_letters import Letter
from avow.kernel.ports import Ports

LINGER = 0.002
"""Seconds in which what comes is gathered, so that a burst becomes few commits."""
MOST = 500
"""The most lines taken at once."""
_GONE = (Exception,)
"""Whatever settling raises means that the channel is gone, and then the broker delivers again."""

log = structlog.get_logger(__name__)


class Deliveries:
    """One organisation's deliveries: from the broker at one end, to its follower at the other."""

    def __init__(self, queue: str, bury: Callable[[Sequence[Letter]], Awaitable[None]]) -> None:
        self._queue = queue
        self._bury = bury
        self._waiting: deque[AbstractIncomingMessage] = deque()
        self._offered: Sequence[AbstractIncomingMessage] = ()
        self._came = asyncio.Event()

    def put(self, delivery: AbstractIncomingMessage) -> None:
        """Take a place at the end of the line."""
        self._waiting.append(delivery)
        self._came.set()

    def clear(self) -> None:
        """Forget what a connection that is gone has delivered: it comes again."""
        self._waiting.clear()
        self._offered = ()

    def listen(self, _: int) -> "Deliveries":
        """Begin with what is held, from whatever sequence on: a duplicate is known by the inbox."""
        return self

    async def take(self, at_most: float) -> list[bytes] | None:
        """What has come; never None, for a broker that is away comes back."""
        if not self._waiting:
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(at_most):
                    await self._came.wait()
                    await asyncio.sleep(LINGER)
        self._offered = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        return [delivery.body for delivery in self._offered]

    async def settle(self, taken: Taken) -> None:
        """Acknowledge what was committed, or is kept as a dead letter; what waits for earlier ones is held.

        Raises the database's error where the dead letters could not be kept; then all of it is offered again.
        """
        if refused := [(self._offered[at], why) for at, why in taken.refused.items() if at < len(self._offered)]:
            await self._bury([_letter(self._queue, delivery, reason) for delivery, reason in refused])
        offered, self._offered = self._offered, ()
        self._waiting.extendleft(reversed([offered[place] for place in sorted(taken.ahead) if place < len(offered)]))
        settled = [delivery for place, delivery in enumerate(offered) if place not in taken.ahead]
        with suppress(*_GONE):
            if settled and not taken.ahead:
                # Whatever was delivered before the last of them is settled: they stand in the order of delivery.
                await settled[-1].ack(multiple=True)
            else:
                for delivery in settled:
                    await delivery.ack()

    async def close(self) -> None:
        """Let the next to listen take what is held, and what was offered and not settled: the connection stays."""
        offered, self._offered = self._offered, ()
        self._waiting.extendleft(reversed(offered))


class Queues(Background):
    """Consumes a service's queues at the broker between `start` and `stop`."""

    def __init__(self, url: str, service: str, source: str, ports: Ports, bury: Bury) -> None:
        self.connected = False
        self._url = url
        self._service = service
        self._source = source
        self._ports = ports
        self._bury = bury
        self._lines: dict[str, Deliveries] = {}
        self._wanted = asyncio.Event()
        self._dead = DeadQueue(url, service, self._lines.keys(), bury)

    def of(self, org: str) -> Deliveries:
        """The deliveries of an organisation, whose queue is consumed from now on."""
        if org not in self._lines:
            self._lines[org] = Deliveries(inbox_queue(self._service, org).name, partial(self._bury, org))
            self._wanted.set()
        return self._lines[org]

    def start(self) -> None:
        """Consume in a task of its own, and empty the dead queue in another."""
        super().start()
        self._dead.start()

    async def stop(self) -> None:
        """Close the connections; what was not acknowledged goes back to the queues."""
        await self._dead.stop()
        await super().stop()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                async with asyncio.timeout(CONNECT):
                    await self._declare()
                failures = 0
                await self._consume()
            except Exception as error:  # noqa: BLE001 - the feed is followed meanwhile, and the next round finds out
                if self.connected or not failures:
                    log.warning("queue.unavailable", service=self._service, reason=type(error).__name__)
            self.connected = False
            await asyncio.sleep(pause(failures, self._ports))
            failures += 1

    async def _declare(self) -> None:
        connection = await connect(self._url, f"avow {self._service} topology")
        try:
            await declare(connection, self._service, self._source)
        finally:
            await close(connection)

    async def _consume(self) -> None:
        """Consume every organisation's queue until the connection breaks."""
        broken = asyncio.Event()
        broker = RabbitBroker(
            beating(self._url),
            apply_types=False,
            ack_policy=AckPolicy.MANUAL,
            graceful_timeout=CLOSE,
            logger=None,
            on_close=[lambda *_: broken.set()],
        )
        try:
            async with asyncio.timeout(CONNECT):
                await broker.start()
            self.connected = True
            consumed: set[str] = set()
            while not broken.is_set():
                self._wanted.clear()
                for org in sorted(self._lines.keys() - consumed):
                    async with asyncio.timeout(CONNECT):
                        await self._subscribe(broker, org)
                    consumed.add(org)
                await _either(broken, self._wanted)
        finally:
            for line in self._lines.values():
                line.clear()
            with suppress(*_GONE):
                async with asyncio.timeout(CLOSE):
                    await broker.stop()

    async def _subscribe(self, broker: RabbitBroker, org: str) -> None:
        subscriber = broker.subscriber(
            inbox_queue(self._service, org), source_exchange(self._source), channel=one_channel(), decoder=_as_it_came
        )
        subscriber(partial(_enqueue, self._lines[org]))
        await subscriber.start()


def _letter(queue: str, delivery: AbstractIncomingMessage, reason: str) -> Letter:
    return garbage(queue, delivery.exchange, delivery.routing_key, delivery.message_id, reason, delivery.body)


async def _as_it_came(message: RabbitMessage) -> RabbitMessage:
    return message


async def _enqueue(line: Deliveries, message: RabbitMessage) -> None:
    line.put(message.raw_message)


async def _either(*events: asyncio.Event) -> None:
    """Return when one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            await ended(task)
