"""What RabbitMQ itself gives up ends among the dead letters of the organisation it was for, and is never lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from avow.bus import dead_queue as draining
from avow.bus.dead import Bury, DeadLetters
from avow.bus.dead_queue import REASONS, DeadQueue
from avow.bus.depth import depths
from avow.bus.publisher import BROKER_AWAY
from avow.bus.relay import BrokerUnavailable
from avow.bus.topology import declare, inbox_queue
from avow.contracts.wire import DEAD, dead_queue, exchange_of
from avow.eventlog import dead_letters
from avow.eventlog.dead_letters import LARGEST, Kept, Letter
from tests.kit.logs import ORG, Log, a_log, identity
from tests.kit.rabbit import PrivateRabbit
from tests.kit.transports import until
from tests.unit.bus.serving import free_port

ELSEWHERE = "elsewhere"
QUEUE = dead_queue("evaluation")
POLICIES = {"delivery_limit": {"delivery-limit": 1}, "maxlen": {"max-length": 1}}
"""Under which a message dies of that."""


@dataclass(frozen=True)
class Grounds:
    """A service's queues at the broker, and the log beside which its dead letters are kept."""

    log: Log
    url: str
    node: PrivateRabbit
    channel: AbstractChannel

    def drainer(self, bury: Bury | None = None, orgs: Collection[str] = (ORG,)) -> DeadQueue:
        return DeadQueue(self.url, "evaluation", orgs, bury or self.bury)

    async def bury(self, org: str, letters: Sequence[Letter]) -> None:
        await DeadLetters(self.log.database, self.log.ports).bury(org, letters)

    async def publish(self, body: bytes, org: str = ORG, key: str = "pledge.made", **properties: Any) -> None:
        exchange = await self.channel.get_exchange(exchange_of("pledge"), ensure=False)
        await exchange.publish(aio_pika.Message(body, delivery_mode=2, **properties), f"{org}.{key}")

    async def refuse(self, org: str = ORG, requeue: bool = False) -> None:
        """Take nothing of what an organisation's queue delivers, until one more is dead."""

        async def reject(message: AbstractIncomingMessage) -> None:
            await message.reject(requeue)

        before = await self.lying()
        queue = await self.channel.get_queue(inbox_queue("evaluation", org).name, ensure=False)
        consumer = await queue.consume(reject)
        await self.lie(before + 1)
        await queue.cancel(consumer)

    async def perish(self, body: bytes, org: str = ORG, key: str = "pledge.made", **properties: Any) -> None:
        """Have this die in an organisation's queue."""
        await self.publish(body, org, key, **properties)
        await self.refuse(org)

    async def lying(self) -> int:
        """How many are in the dead queue and with nobody."""
        depth = (await depths(self.url, [QUEUE]))[QUEUE]
        assert depth is not None
        return depth.messages

    async def lie(self, count: int) -> None:
        """Wait until so many are in the dead queue, whoever has them."""
        await until(lambda: self.node.depth(self.url, QUEUE) == count)
        assert await self.lying() == count

    async def kept(self, org: str = ORG) -> list[Kept]:
        return await self.log.database.read(lambda connection: dead_letters.find(connection, "", org))


@pytest.fixture
async def grounds(tmp_path: Path, amqp_url: str, rabbit: PrivateRabbit) -> AsyncIterator[Grounds]:
    connection = await aio_pika.connect(amqp_url)
    async with a_log(f"sqlite:///{tmp_path}/log.db", orgs=(ORG, ELSEWHERE), service="evaluation") as log, connection:
        await declare(connection, "evaluation", "pledge")
        channel = await connection.channel()
        for org in (ORG, ELSEWHERE):
            wanted = inbox_queue("evaluation", org)
            arguments = {**wanted.arguments, "x-queue-type": "quorum"}
            queue = await channel.declare_queue(wanted.name, durable=True, arguments=arguments)
            await queue.bind(exchange_of("pledge"), wanted.routing_key)
        yield Grounds(log, amqp_url, rabbit, channel)


@pytest.mark.parametrize("reason", REASONS)
async def test_whatever_it_died_of_it_is_kept_with_why_and_where(grounds: Grounds, reason: str) -> None:
    if reason in POLICIES:
        vhost = urlsplit(grounds.url).path.removeprefix("/")
        grounds.node.ctl("set_policy", "-p", vhost, "--apply-to", "queues", "t", "inbox", json.dumps(POLICIES[reason]))
    await grounds.publish(b"{}", message_id=identity(7), expiration=0.001 if reason == "expired" else None)
    if reason == "maxlen":
        await grounds.publish(b"the next", message_id=identity(8))
    if reason in ("rejected", "delivery_limit"):
        await grounds.refuse(requeue=reason == "delivery_limit")
    await grounds.lie(1)
    await grounds.drainer().drain()
    (letter,) = await grounds.kept()
    assert (letter.kind, letter.reason, letter.body) == ("garbage", f"given up: {reason}", b"{}")
    assert (letter.origin, letter.times) == (f"evaluation.inbox.{ORG} < avow.pledge", 1)
    assert (letter.routing_key, letter.message_id) == (f"{ORG}.pledge.made", identity(7))
    await grounds.lie(0)


async def test_of_what_it_holds_only_what_is_of_our_form_is_told_and_no_more_than_is_kept(grounds: Grounds) -> None:
    await grounds.perish(b"x" * 70_000, key="钟若岚", message_id="钟若岚")
    await grounds.drainer().drain()
    (letter,) = await grounds.kept()
    assert (letter.routing_key, letter.message_id) == (None, None)
    assert (letter.body, letter.size) == (b"x" * LARGEST, 70_000)


async def test_each_organisation_gets_its_own_and_what_came_twice_is_counted(grounds: Grounds) -> None:
    for body, org in ((b"1", ORG), (b"2", ELSEWHERE), (b"1", ORG)):
        await grounds.perish(body, org)
    await grounds.drainer(orgs=(ORG, ELSEWHERE)).drain()
    assert [(letter.body, letter.times) for letter in await grounds.kept(ORG)] == [(b"1", 2)]
    assert [(letter.body, letter.times) for letter in await grounds.kept(ELSEWHERE)] == [(b"2", 1)]
    await grounds.lie(0)


async def test_a_database_that_is_away_loses_nothing(grounds: Grounds) -> None:
    async def away(org: str, letters: Sequence[Letter]) -> None:
        raise ConnectionError

    await grounds.perish(b"{}")
    with pytest.raises(ConnectionError):
        await grounds.drainer(away).drain()
    await grounds.lie(1)
    assert await grounds.kept() == []
    await grounds.drainer().drain()
    assert [letter.times for letter in await grounds.kept()] == [1]
    await grounds.lie(0)


async def test_a_broker_that_goes_away_after_the_commit_loses_nothing_and_it_is_counted_twice(grounds: Grounds) -> None:
    async def and_then_the_broker_goes(org: str, letters: Sequence[Letter]) -> None:
        await grounds.bury(org, letters)
        grounds.node.stop_app()
        grounds.node.start_app()

    await grounds.perish(b"{}")
    grounds.node.settle()
    with pytest.raises(BROKER_AWAY):
        await grounds.drainer(and_then_the_broker_goes).drain()
    await until(lambda: grounds.node.depth(grounds.url, QUEUE) == 1)
    drainer = grounds.drainer()
    async with asyncio.timeout(60):
        while await grounds.log.database.read(_times) < 2:
            await drainer.drain()
    assert [letter.times for letter in await grounds.kept()] == [2]
    await until(lambda: grounds.node.depth(grounds.url, QUEUE) == 0)


async def test_what_is_nobodys_stays_and_is_counted_until_somebody_is_known(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "MOST", 2)
    known = [ORG]
    drainer = grounds.drainer(orgs=known)
    for n in range(3):
        await grounds.perish(b"%d" % n, ELSEWHERE)
        await grounds.perish(b"%d" % n, ORG)
    dead = await grounds.channel.get_exchange(DEAD, ensure=False)
    strange: list[dict[str, Any]] = [{}, {"x-first-death-queue": 3}, {"x-first-death-queue": "pledge.inbox.demo"}]
    for headers in strange:
        await dead.publish(aio_pika.Message(b"?", headers=headers, delivery_mode=2), "evaluation")
    await grounds.lie(9)
    await drainer.drain()
    assert {letter.body for letter in await grounds.kept(ORG)} == {b"0", b"1", b"2"}
    await grounds.lie(6)
    known.append(ELSEWHERE)
    await drainer.drain()
    assert {letter.body for letter in await grounds.kept(ELSEWHERE)} == {b"0", b"1", b"2"}
    await grounds.lie(3)


async def test_what_is_nobodys_is_left_in_peace_since_the_broker_counts_deliveries(grounds: Grounds) -> None:
    await grounds.perish(b"{}", ELSEWHERE)
    drainer = grounds.drainer()
    for _ in range(5):
        await drainer.drain()
    queue = await grounds.channel.get_queue(QUEUE, ensure=False)
    message = await queue.get()
    assert message is not None
    assert message.headers["x-delivery-count"] == 1


async def test_a_letter_whose_headers_say_nothing_sensible_is_kept_all_the_same(grounds: Grounds) -> None:
    dead = await grounds.channel.get_exchange(DEAD, ensure=False)
    odd_ones: list[Any] = ["钟若岚", 7, [[]], [{"routing-keys": "all"}], [{"routing-keys": [7]}]]
    for n, odd in enumerate(odd_ones):
        headers = {
            "x-first-death-queue": f"evaluation.inbox.{ORG}",
            "x-first-death-reason": odd,
            "x-first-death-exchange": odd,
            "x-death": odd,
        }
        await dead.publish(aio_pika.Message(b"%d" % n, headers=headers, delivery_mode=2), "evaluation")
    await grounds.lie(5)
    await grounds.drainer().drain()
    told = {(letter.reason, letter.origin, letter.routing_key) for letter in await grounds.kept()}
    assert told == {("given up: unknown", f"evaluation.inbox.{ORG}", None)}
    await grounds.lie(0)


async def test_a_service_that_has_no_queue_yet_has_nothing_to_drain(amqp_url: str) -> None:
    async def never(org: str, letters: Sequence[Letter]) -> None:
        pytest.fail("there is nothing to keep")

    await DeadQueue(amqp_url, "evaluation", (ORG,), never).drain()
    with pytest.raises(BrokerUnavailable):
        await DeadQueue(f"amqp://guest:guest@127.0.0.1:{free_port()}/", "evaluation", (ORG,), never).drain()


def _times(connection: Any) -> int:
    return sum(group.times for group in dead_letters.groups(connection))
