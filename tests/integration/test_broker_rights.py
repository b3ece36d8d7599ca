"""What deploy/rabbitmq lets each service's account do: all it needs from the start to an import, and nothing more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ProbableAuthenticationError

from avow.bus.dead_queue import DeadQueue
from avow.bus.topology import declare_subscriber, remove_subscriber
from avow.contracts.organisation import PersonRegistered
from avow.contracts.review import ReviewSubmitted
from avow.contracts.wire import DEAD, EVENTS
from avow.eventlog.dead_letters import Letter
from avow.eventlog.records import Context, Proposed
from avow.kernel.message import PublicEvent
from avow.kernel.ports import Ports
from avow.service.hosting import deployment
from avow.service.service import Service
from avow.service.settings import Settings
from tests.kit.rabbit import PrivateRabbit
from tests.kit.set_up import SERVICES, broker_address, make_secrets, set_up_rabbit

ROUNDS, PAUSE = 60, 0.2


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "secrets"
    make_secrets(folder)
    return folder


@pytest.fixture(scope="module")
def node(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbit]:
    with set_up_rabbit(secrets, tmp_path_factory.mktemp("node") / "definitions") as server:
        yield server


@pytest.fixture
def settings(node: PrivateRabbit, secrets: Path, tmp_path: Path) -> Settings:
    buses = {f"{name}_bus": broker_address(node, secrets, name) for name in SERVICES}
    return Settings(data=tmp_path, pledge_port=0, evaluation_port=0, **buses)  # type: ignore[arg-type]


@pytest.fixture
async def as_pledge(node: PrivateRabbit, secrets: Path) -> AsyncIterator[AbstractConnection]:
    connection = await aio_pika.connect(broker_address(node, secrets, "pledge"))
    yield connection
    await connection.close()


def queues(node: PrivateRabbit, *columns: str) -> dict[str, list[str]]:
    """What the broker says of each queue."""
    told = node.ctl("list_queues", "--vhost", "avow", "--no-table-headers", "name", *columns)
    return {line.split("\t")[0]: line.split("\t")[1:] for line in told.splitlines()}


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(ROUNDS):
        if reached():
            return
        await asyncio.sleep(PAUSE)
    raise TimeoutError


async def declared(settings: Settings, node: PrivateRabbit) -> None:
    """Have the services declare what is theirs."""
    async with deployment(settings, Ports()):
        await until(lambda: len(queues(node)) == 4)


async def travels(service: Service, other: Service, item: Proposed) -> None:
    """Have an event of a service arrive at the other, through the other's queue."""
    relay, follower = service.relays["main"], other.followers["main"]
    before = relay.status
    await service.appender.append("main", [item])
    await until(lambda: follower.status.imported_sequence == relay.status.confirmed == before.head + 1)
    assert relay.status.unrouted == before.unrouted


async def test_with_its_rights_each_service_publishes_hears_and_imports(
    settings: Settings, node: PrivateRabbit
) -> None:
    ports = Ports()
    person, round_id, unit = (str(ports.new_id()) for _ in range(3))
    news: dict[str, PublicEvent] = {
        "pledge": PersonRegistered(person_id=person, name="贺启明"),
        "evaluation": ReviewSubmitted(round_id=round_id, unit_id=unit, rater_class="mass", count=1),
    }
    at = Context(occurred_at=ports.clock.now())
    async with deployment(settings, ports) as running:
        await until(lambda: sum(consumers == ["1"] for consumers in queues(node, "consumers").values()) == 2)
        for name, other in ("pledge", "evaluation"), ("evaluation", "pledge"):
            await travels(
                running.services[name],
                running.services[other],
                Proposed(f"try/{ports.new_id()}", ports.new_id(), news[name], at),
            )
        # Nothing is left there unacknowledged.
        await until(lambda: list(queues(node, "messages").values()) == [["0"]] * 4)


async def test_the_limits_of_queues_are_policies(settings: Settings, node: PrivateRabbit) -> None:
    await declared(settings, node)
    assert queues(node, "policy") == {
        "pledge.inbox.main": ["inboxes"],
        "evaluation.inbox.main": ["inboxes"],
        "pledge.dead": ["dead letters"],
        "evaluation.dead": ["dead letters"],
    }


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        ("avow.evaluation", "main.review.tallied"),
        (EVENTS, "main.pledge.made"),
        (DEAD, "evaluation"),
        ("", "evaluation.inbox.main"),
    ],
)
async def test_a_service_publishes_nowhere_but_to_its_own_exchange(
    as_pledge: AbstractConnection, exchange: str, key: str
) -> None:
    channel = await as_pledge.channel()
    to = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
    with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
        await to.publish(aio_pika.Message(b"{}"), key, mandatory=False)


async def test_with_its_rights_a_service_drains_its_dead_queue(
    settings: Settings, as_pledge: AbstractConnection, node: PrivateRabbit
) -> None:
    kept: list[Letter] = []

    async def keep(org: str, letters: Sequence[Letter]) -> None:
        kept.extend(letters)

    await declared(settings, node)
    dead = await (await as_pledge.channel()).get_exchange(DEAD, ensure=False)
    died_in = {"x-first-death-queue": "pledge.inbox.main"}
    await dead.publish(aio_pika.Message(b"{}", headers=dict(died_in)), "pledge")
    await DeadQueue(settings.broker("pledge") or "", "pledge", ("main",), keep).drain()
    assert [letter.body for letter in kept] == [b"{}"]
    await until(lambda: queues(node, "messages")["pledge.dead"] == ["0"])


async def test_a_service_reads_no_queue_of_the_other(
    settings: Settings, as_pledge: AbstractConnection, node: PrivateRabbit
) -> None:
    await declared(settings, node)
    for name in ("evaluation.inbox.main", "evaluation.dead"):
        queue = await (await as_pledge.channel()).get_queue(name, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get(fail=False)


@pytest.mark.parametrize(("exchange", "key"), [("avow.pledge", "#"), (EVENTS, "#"), (DEAD, "evaluation"), (DEAD, "#")])
async def test_a_service_binds_its_queue_to_nothing_it_should_not_hear(
    as_pledge: AbstractConnection, exchange: str, key: str
) -> None:
    queue = await (await as_pledge.channel()).declare_queue(
        "pledge.inbox.try", durable=True, arguments={"x-queue-type": "quorum"}
    )
    with pytest.raises(ChannelAccessRefused):
        await queue.bind(exchange, key)


@pytest.mark.parametrize("name", ["evaluation.inbox.main", "evaluation.dead", "subscriber.pledge", "other"])
async def test_a_service_declares_no_queue_but_its_own(as_pledge: AbstractConnection, name: str) -> None:
    with pytest.raises(ChannelAccessRefused):
        await (await as_pledge.channel()).declare_queue(name, durable=True)


@pytest.mark.parametrize("name", ["avow.pledge", "avow.events", "avow.other"])
async def test_a_service_neither_declares_nor_deletes_an_exchange(as_pledge: AbstractConnection, name: str) -> None:
    with pytest.raises(ChannelAccessRefused):
        await (await as_pledge.channel()).exchange_delete(name)
    with pytest.raises(ChannelAccessRefused):
        await (await as_pledge.channel()).declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)


async def test_nobody_comes_in_without_a_password_that_was_made(node: PrivateRabbit) -> None:
    for account in ("guest:guest", "pledge:pledge"):
        with pytest.raises((ProbableAuthenticationError, ConnectionError)):
            await aio_pika.connect(f"amqp://{account}@127.0.0.1:{node.port}/avow")
    told = node.ctl("list_users", "--no-table-headers").splitlines()
    assert {line.split("\t")[0] for line in told} == {*SERVICES, "subscribers"}


async def test_the_queues_of_subscribers_have_an_account_that_makes_and_removes_them(
    node: PrivateRabbit, secrets: Path
) -> None:
    connection = await aio_pika.connect(broker_address(node, secrets, "subscribers"))
    async with connection:
        await declare_subscriber(connection, "library", ["main.#"])
        assert queues(node, "policy")["subscriber.library"] == ["subscribers"]
        queue = await (await connection.channel()).get_queue("subscriber.library", ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get(fail=False)
        await remove_subscriber(connection, "library")
        assert "subscriber.library" not in queues(node)
        for name in ("pledge.inbox.main", "evaluation.dead", "other"):
            with pytest.raises(ChannelAccessRefused):
                await (await connection.channel()).queue_delete(name)
        events = await (await connection.channel()).get_exchange(EVENTS, ensure=False)
        with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
            await events.publish(aio_pika.Message(b"{}"), "main.pledge.made", mandatory=False)
