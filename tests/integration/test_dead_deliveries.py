"""Garbage on the queue is kept where a person finds it, holds nothing up, and is gone from the broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from pydantic import SecretStr

from avow.bus import dead_queue
from avow.bus.depth import QueueDepth, depths
from avow.bus.relay import BrokerUnavailable
from avow.contracts.envelope import encode
from avow.eventlog import dead_letters, reading
from avow.eventlog.append import read_head
from avow.eventlog.dead_letters import Group
from avow.kernel.ports import Ports
from avow.service.hosting import Deployment, deployment
from avow.service.service import Service
from avow.service.settings import Settings
from tests.kit.deployed import avow
from tests.kit.logs import a_unit, proposed
from tests.unit.bus.serving import free_port

T = TypeVar("T")
ORG = "main"
PATIENCE = 60.0
MARKER = "祁安然 swordfish"
QUEUE = "evaluation.inbox.main"


@asynccontextmanager
async def a_pair(data: Path, amqp_url: str) -> AsyncIterator[Deployment]:
    """Both services, hearing of each other over the broker."""
    settings = Settings(data=data, orgs=(ORG,), pledge_port=0, evaluation_port=0, bus=SecretStr(amqp_url))
    async with deployment(settings, Ports()) as running:
        await until(lambda: all(s.followers[ORG].status.state == "live" for s in running.services.values()))
        yield running


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def until_answered(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> None:
    """Ask until the answer is what is wanted."""
    async with asyncio.timeout(PATIENCE):
        while not wanted(await ask()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def send(amqp_url: str, bodies: Sequence[bytes]) -> None:
    """Publish as the pledge service would, but whatever it is."""
    connection = await aio_pika.connect(amqp_url)
    async with connection, connection.channel() as channel:
        exchange = await channel.get_exchange("avow.pledge")
        for body in bodies:
            await exchange.publish(aio_pika.Message(body), f"{ORG}.pledge.made")


async def refuse(delivery: AbstractIncomingMessage) -> None:
    await delivery.reject()


async def groups(service: Service) -> list[Group]:
    return await service.database.read(dead_letters.groups)


async def depth(amqp_url: str) -> dict[str, QueueDepth | None]:
    return await depths(amqp_url, [QUEUE, "evaluation.dead", "nothing.of.ours"])


async def waiting(amqp_url: str) -> QueueDepth | None:
    return (await depth(amqp_url))[QUEUE]


async def test_garbage_is_kept_and_what_comes_behind_it_is_imported(tmp_path: Path, amqp_url: str) -> None:
    async with a_pair(tmp_path, amqp_url) as running:
        pledge, evaluation = running.services["pledge"], running.services["evaluation"]
        await until_answered(partial(waiting, amqp_url), lambda now: now is not None and now.consumers == 1)
        flood = [f"{n} {MARKER}".encode() for n in range(100)]
        await send(amqp_url, [*flood, b"{}", b"\xff" * 200_000])
        await pledge.appender.append(ORG, [proposed(a_unit(1))])
        await until(lambda: evaluation.followers[ORG].status.imported_sequence == 2)
        await until_answered(partial(groups, evaluation), lambda kept: sum(group.times for group in kept) == 102)
        found = {(group.letters, group.bodies, group.times) for group in await groups(evaluation)}
        assert found == {(20, 20, 101), (1, 1, 1)}
        assert await groups(pledge) == []
        await until_answered(partial(waiting, amqp_url), lambda now: now == QueueDepth(0, 1))
        left = await depth(amqp_url)
        assert (left["evaluation.dead"], left["nothing.of.ours"]) == (QueueDepth(0, 0), None)


async def test_an_event_the_broker_gave_up_is_kept_and_a_retry_finds_it_imported(
    tmp_path: Path, amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_queue, "EVERY", 0.1)
    async with a_pair(tmp_path, amqp_url) as running:
        pledge, evaluation = running.services["pledge"], running.services["evaluation"]
        await pledge.appender.append(ORG, [proposed(a_unit(1))])
        await until(lambda: evaluation.followers[ORG].status.imported_sequence == 2)
        line = encode((await pledge.database.read(lambda c: reading.envelopes(c, ORG, 1, 2, None, 1)))[0])
    connection = await aio_pika.connect(amqp_url)
    async with connection, connection.channel() as channel:
        queue = await channel.get_queue(QUEUE)
        await queue.consume(refuse)
        await send(amqp_url, [line])
        await until_answered(partial(depth, amqp_url), lambda now: now["evaluation.dead"] == QueueDepth(1, 0))
    async with a_pair(tmp_path, amqp_url) as running:
        evaluation = running.services["evaluation"]
        await until_answered(partial(groups, evaluation), lambda kept: len(kept) == 1)
        (group,) = await groups(evaluation)
        assert (group.reason, group.origin) == ("given up: rejected", f"{QUEUE} < avow.pledge")
        before = await evaluation.database.read(lambda c: read_head(c, ORG))
        again = ("dead", "retry", group.fingerprint, "--reason", "it came over the feed", "--yes", "--json")
        answer = await asyncio.to_thread(avow, tmp_path, *again, AVOW_BUS=amqp_url)
        assert [each["outcome"] for each in json.loads(answer.stdout)["letters"]] == ["retried"]
        assert await evaluation.database.read(lambda c: read_head(c, ORG)) == before
        assert await groups(evaluation) == []
        assert (await depth(amqp_url))["evaluation.dead"] == QueueDepth(0, 0)


async def test_the_commands_say_what_waits_at_the_broker(tmp_path: Path, amqp_url: str) -> None:
    async def said(*arguments: str, status: int, bus: str = amqp_url) -> Any:
        asked = [*arguments, "--json"]
        answer = await asyncio.to_thread(avow, tmp_path, *asked, AVOW_BUS=bus)
        assert answer.returncode == status, answer.stdout + answer.stderr
        assert "guest" not in answer.stdout + answer.stderr
        return json.loads(answer.stdout)

    async with a_pair(tmp_path, amqp_url) as running:
        await running.services["pledge"].appender.append(ORG, [proposed(a_unit(1))])
        await until(lambda: running.services["evaluation"].followers[ORG].status.imported_sequence == 2)
        await until_answered(partial(waiting, amqp_url), lambda now: now is not None and now.consumers == 1)
        await asyncio.sleep(1.5)
        alive = await said("bus", "status", status=0)
        relays = [part for book in alive["books"] for part in book["parts"] if part["part"] == "relay"]
        assert [(part["state"], part["lag"]) for part in relays] == [("done", 0)] * 2
        assert {queue["queue"]: queue["consumers"] for queue in alive["queues"]}[QUEUE] == 1
    stopped = await said("bus", "status", status=1)
    assert {p["state"] for book in stopped["books"] for p in book["parts"] if p["part"] == "relay"} == {"nobody"}
    connection = await aio_pika.connect(amqp_url)
    async with connection, connection.channel() as channel:
        await channel.default_exchange.publish(aio_pika.Message(b"given up"), "evaluation.dead")
    listed = await said("dead", "list", status=0)
    assert listed["queues"]["evaluation"]["messages"] == 1
    away = await said("bus", "status", status=1, bus=f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    assert all(queue["reason"] for queue in away["queues"])


async def test_a_broker_that_is_away_is_said_to_be() -> None:
    with pytest.raises(BrokerUnavailable):
        await depths(f"amqp://guest:guest@127.0.0.1:{free_port()}/", ["evaluation.dead"])
