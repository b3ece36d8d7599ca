"""`avow subscriber` beside a running pair: tokens at once, queues and accounts where there is a broker."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest
from aio_pika.exceptions import AMQPError
from typer.testing import CliRunner, Result

from avow.bus.publisher import close, connect
from avow.bus.topology import declare
from avow.cli import app
from avow.contracts.wire import EVENTS
from tests.kit.deployed import Deployed, deployed, environment
from tests.kit.rabbit import PrivateRabbit
from tests.unit.bus.serving import free_port


def run(data: Path, *words: str, **settings: str) -> Result:
    """Run a command in this process, which is quicker than in one of its own."""
    return CliRunner().invoke(app, list(words), env=environment(data, **settings))


def told(data: Path, *words: str, **settings: str) -> dict[str, Any]:
    said = run(data, "subscriber", *words, "--json", **settings)
    assert said.exit_code == 0, said.output
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def refused(data: Path, *words: str, **settings: str) -> str:
    said = run(data, "subscriber", *words, **settings)
    assert said.exit_code == 2, said.output
    assert said.stdout == ""
    return said.stderr


def opens(running: Deployed, token: str, org: str = "main") -> list[int]:
    """How each service answers the token."""
    headers = {"Authorization": f"Bearer {token}"}
    return [httpx.get(f"{url}/{org}/feed/head", headers=headers).status_code for url in running.urls.values()]


def test_a_token_opens_at_once_until_it_is_revoked_and_is_shown_once(tmp_path: Path) -> None:
    with deployed(tmp_path) as running:
        made = told(tmp_path, "add", "reporting", "--org", "main")
        assert (made["orgs"], made["types"], made["broker"]) == (["main"], [], None)
        assert opens(running, made["token"]) == [200, 200]
        assert opens(running, made["token"], "other") == [403, 403]
        assert "already" in refused(tmp_path, "add", "reporting", "--org", "main")
        listed = told(tmp_path, "list")["subscribers"]["reporting"]
        assert {each["revoked_at"] for each in listed.values()} == {None}
        assert made["token"] not in json.dumps(listed)
        assert told(tmp_path, "revoke", "reporting")["revoked"] == ["pledge", "evaluation"]
        assert opens(running, made["token"]) == [401, 401]
        assert "no subscriber reporting" in refused(tmp_path, "revoke", "reporting")
        again = told(tmp_path, "add", "reporting", "--types", "meeting.held,pledge.made")
        assert again["orgs"] == ["main", "other"]
        assert opens(running, again["token"]) == [200, 200]
        assert opens(running, made["token"]) == [401, 401]


def test_what_cannot_be_made_is_said_and_what_was_half_made_is_completed(tmp_path: Path) -> None:
    assert "No database" in refused(tmp_path, "add", "reporting")
    assert run(tmp_path, "org", "create", "main").exit_code == 0
    assert "has no book of nowhere" in refused(tmp_path, "add", "reporting", "--org", "nowhere")
    assert "No such public events: song.sung" in refused(tmp_path, "add", "reporting", "--types", "song.sung")
    assert "1 to 32" in refused(tmp_path, "add", "Reporting", "--org", "main")
    told(tmp_path, "add", "reporting", "--org", "main")
    with closing(sqlite3.connect(tmp_path / "evaluation.db")) as db, db:
        db.execute("DELETE FROM subscriber")
    assert told(tmp_path, "list")["subscribers"]["reporting"]["evaluation"] is None
    told(tmp_path, "add", "reporting", "--org", "main")
    assert None not in told(tmp_path, "list")["subscribers"]["reporting"].values()


async def exchanges(url: str) -> None:
    """Make what the services make when they start."""
    connection = await connect(url, "test")
    await declare(connection, "pledge", "evaluation")
    await close(connection)


@pytest.fixture(scope="module")
def managed() -> Iterator[tuple[PrivateRabbit, str]]:
    """A node with its management interface, and where an administrator reaches that."""
    port = free_port()
    node = PrivateRabbit("managed", settings={"management.tcp.port": str(port), "management.tcp.ip": "127.0.0.1"})
    with node:
        assert node.folder is not None
        (node.folder / "enabled_plugins").write_text("[rabbitmq_management].")
        node.kill()
        node.revive()
        yield node, f"http://guest:guest@127.0.0.1:{port}"


def test_queue_and_account_are_made_and_may_do_nothing_but_be_read(
    tmp_path: Path, managed: tuple[PrivateRabbit, str]
) -> None:
    _, api = managed
    url = managed[0].create_vhost()
    asyncio.run(exchanges(url))
    settings = {"AVOW_BUS": url, "AVOW_RABBITMQ_API": api, "AVOW_ORGS": "main"}
    assert run(tmp_path, "org", "create", "main").exit_code == 0
    made = told(tmp_path, "add", "reporting", "--types", "meeting.held", **settings)["broker"]
    assert (made["queue"], made["todo"]) == ("subscriber.reporting", [])
    asyncio.run(may_read_its_queue_and_no_more(url, made["url"]))
    gone = told(tmp_path, "revoke", "reporting", **settings)["broker"]
    assert gone["todo"] == []
    with pytest.raises(AMQPError):
        asyncio.run(connect(made["url"], "test"))
    assert "subscriber.reporting" not in [queue["name"] for queue in httpx.get(f"{api}/api/queues").json()]


async def may_read_its_queue_and_no_more(admin: str, own: str) -> None:
    operator, guest = await connect(admin, "test"), await connect(own, "test")
    channel = await operator.channel()
    exchange = await channel.get_exchange(EVENTS, ensure=False)
    for key in ("main.pledge.made", "other.meeting.held", "main.meeting.held"):
        await exchange.publish(aio_pika.Message(key.encode()), key)
    await channel.declare_queue("another", exclusive=True)
    queue = await (await guest.channel()).get_queue("subscriber.reporting", ensure=False)
    message = await queue.get(timeout=10)
    assert message is not None
    assert message.body == b"main.meeting.held"
    await message.ack()
    assert await queue.get(fail=False) is None
    for forbidden in (
        lambda channel: channel.declare_queue("mine"),
        lambda channel: channel.declare_exchange("mine"),
        lambda channel: channel.default_exchange.publish(aio_pika.Message(b""), "subscriber.reporting"),
        _bind,
        lambda channel: channel.queue_delete("subscriber.reporting"),
    ):
        with pytest.raises((AMQPError, asyncio.CancelledError)):
            await forbidden(await guest.channel())
    await close(guest)
    await close(operator)


async def _bind(channel: aio_pika.abc.AbstractChannel) -> None:
    queue = await channel.get_queue("subscriber.reporting", ensure=False)
    await queue.bind(EVENTS, "#")


def test_a_broker_that_is_away_is_said_and_the_address_told_to_nobody(tmp_path: Path) -> None:
    assert run(tmp_path, "org", "create", "main").exit_code == 0
    said = refused(tmp_path, "add", "reporting", AVOW_BUS="amqp://guest:hidden@127.0.0.1:1/", AVOW_ORGS="main")
    assert "RabbitMQ did not do its part" in said
    assert "hidden" not in said
