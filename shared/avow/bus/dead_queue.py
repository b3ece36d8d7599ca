"""The broker's own dead queue: what RabbitMQ gave up of a service's deliveries becomes the service's dead letters.

Each process looks once in a while, and takes what is there one by one, so the import is not disturbed. Promises: a
letter is committed before the broker is told that it may forget the message, so whatever breaks in between loses
nothing, and may count it twice. What died in no queue of an organisation with a book here belongs to nobody whose
letters it could be: it stays in the queue, where it is counted, until there is such a book or a person removes it
(tests/integration/test_dead_queue.py).
Limit: the queue itself is bounded by policies (deploy/rabbitmq), and drops its oldest when it is full.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from avow.bus.background import Background
from avow.bus.dead import Bury, garbage
from avow.bus.depth import depths
from avow.bus.publisher import CONNECT, close, connect
from avow.bus.topology import inbox_queue
from avow.contracts.wire import dead_queue
from avow.eventlog.dead_letters import Letter

EVERY = 30.0
"""Seconds between two looks."""
MOST = 100
"""The most messages that are held, and committed, together."""
REASONS = ("delivery_limit", "expired", "maxlen", "rejected")
"""Why RabbitMQ gives a message up, in its words."""

log = structlog.get_logger(__name__)


class DeadQueue(Background):
    """Empties a service's dead queue between `start` and `stop`; `orgs` are those with a book here, now and later."""

    def __init__(self, url: str, service: str, orgs: Collection[str], bury: Bury) -> None:
        self._url = url
        self._service = service
        self._orgs = orgs
        self._bury = bury
        self._left: tuple[int, Collection[str]] = 0, ()
        """How many were nobody's at the last look, and who was known: unless that changes, they are left in peace,
        for the broker counts how often it delivers."""
        self._failing = False

    async def drain(self) -> None:
        """Keep what is there as dead letters; raises BrokerUnavailable, the client's errors or the database's."""
        name, known = dead_queue(self._service), frozenset(self._orgs)
        depth = (await depths(self._url, [name]))[name]
        if depth is None or not depth.messages or (depth.messages, known) == self._left:
            return
        async with asyncio.timeout(CONNECT):
            connection = await connect(self._url, f"avow {self._service} dead letters")
        try:
            channel = await connection.channel()
            queues = {inbox_queue(self._service, org).name: org for org in known}
            left = await self._empty(await channel.get_queue(name, ensure=False), queues)
        finally:
            # Whatever was not acknowledged goes back where it was.
            await close(connection)
        self._left = left, known

    async def _empty(self, queue: AbstractQueue, orgs: Mapping[str, str]) -> int:
        """Keep what died in one of these queues; how many are left."""
        left = 0
        while given_up := await _some(queue):
            died_in = defaultdict(list)
            for message in given_up:
                died_in[_said(message, "x-first-death-queue")].append(message)
            for name in died_in.keys() & orgs.keys():
                messages = died_in.pop(name)
                await self._bury(orgs[name], [_letter(name, message) for message in messages])
                for message in messages:
                    await message.ack()
            left += sum(map(len, died_in.values()))
        return left

    async def _run(self) -> None:
        while True:
            try:
                await self.drain()
                self._failing = False
            except Exception as error:  # noqa: BLE001 - the next look finds out
                if not self._failing:
                    log.warning("dead_queue.not_drained", service=self._service, reason=type(error).__name__)
                self._failing = True
            await asyncio.sleep(EVERY)


async def _some(queue: AbstractQueue) -> list[AbstractIncomingMessage]:
    """What the queue has, as far as it is held together."""
    some: list[AbstractIncomingMessage] = []
    while len(some) < MOST and (message := await queue.get(fail=False)) is not None:
        some.append(message)
    return some


def _letter(queue: str, message: AbstractIncomingMessage) -> Letter:
    first = _said(message, "x-first-death-reason")
    reason = f"given up: {first if first in REASONS else 'unknown'}"
    exchange = _said(message, "x-first-death-exchange")
    return garbage(queue, exchange, _routing_key(message), message.message_id, reason, message.body)


def _said(message: AbstractIncomingMessage, header: str) -> str:
    value = message.headers.get(header)
    return value if isinstance(value, str) else ""


def _routing_key(message: AbstractIncomingMessage) -> str | None:
    """What it was published with; the broker has given it another since."""
    deaths: Any = message.headers.get("x-death")
    match deaths:
        case [{"routing-keys": [str(key), *_]}, *_]:
            return key
    return None
