"""The private RabbitMQ answers, gives each caller a virtual host of its own, and leaves nothing behind."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelNotFoundEntity

from tests.kit.rabbit import PrivateRabbit, RabbitFailed, RabbitMissing
from tests.kit.rabbit_ground import find_tool

ROOT = Path(__file__).parents[2]
QUEUE = "kept"


@asynccontextmanager
async def _channel(url: str) -> AsyncIterator[AbstractChannel]:
    connection = await aio_pika.connect(url, timeout=10)
    async with connection:
        yield await connection.channel()


async def _publish(url: str, body: bytes) -> None:
    """Makes the queue unless it is there, and returns when the server has confirmed the message."""
    async with _channel(url) as channel:
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, routing_key=QUEUE, timeout=10)


async def _take(url: str) -> bytes:
    """The first message, also if the queue has still to choose its leader."""
    async with _channel(url) as channel, asyncio.timeout(30):
        queue = await channel.get_queue(QUEUE)
        async with queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                return message.body
    raise AssertionError("The queue ended.")


def _gone(pid: int) -> bool:
    for _ in range(200):
        if not Path("/proc", str(pid)).exists():
            return True
        time.sleep(0.05)
    return False


def _listening(pids: set[int]) -> list[str]:
    """The addresses at which these processes listen, as Linux writes them: hexadecimal address and port."""
    sockets = {
        os.readlink(link)
        for pid in pids
        for link in Path("/proc", str(pid), "fd").iterdir()
        if link.is_symlink() and "socket:" in os.readlink(link)
    }
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()]
    return [line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in sockets]


async def test_a_fresh_virtual_host_takes_a_message_and_gives_it_back(amqp_url: str) -> None:
    await _publish(amqp_url, b"one")
    assert await _take(amqp_url) == b"one"


async def test_what_one_virtual_host_holds_another_does_not(rabbit: PrivateRabbit, amqp_url: str) -> None:
    other = rabbit.create_vhost()
    await _publish(amqp_url, b"here")
    assert rabbit.depth(amqp_url, QUEUE) == 1
    async with _channel(other) as channel:
        with pytest.raises(ChannelNotFoundEntity):
            await channel.get_queue(QUEUE)
    rabbit.drop_vhost(other)


async def test_a_dropped_virtual_host_goes_with_its_open_connections(rabbit: PrivateRabbit) -> None:
    url = rabbit.create_vhost()
    connection = await aio_pika.connect(url, timeout=10)
    closed = asyncio.Event()
    connection.close_callbacks.add(lambda *_: closed.set())
    rabbit.drop_vhost(url)
    async with asyncio.timeout(10):
        await closed.wait()
    await connection.close()
    assert url.rpartition("/")[2] not in rabbit.ctl("list_vhosts").split()


async def test_the_depth_counts_what_is_out_with_a_consumer(rabbit: PrivateRabbit, amqp_url: str) -> None:
    for body in (b"one", b"two"):
        await _publish(amqp_url, body)
    async with _channel(amqp_url) as channel:
        message = await (await channel.get_queue(QUEUE)).get(timeout=10)
        assert message is not None
        assert rabbit.depth(amqp_url, QUEUE) == 2
        await message.ack()
        await channel.declare_queue("classic", durable=True)
        await channel.default_exchange.publish(aio_pika.Message(b"three"), routing_key="classic")
    assert rabbit.depth(amqp_url, "classic") == 1
    assert rabbit.depth(amqp_url, QUEUE) == 1


async def test_a_deleted_queue_is_gone_with_its_messages(rabbit: PrivateRabbit, amqp_url: str) -> None:
    await _publish(amqp_url, b"one")
    rabbit.delete_queue(amqp_url, QUEUE)
    with pytest.raises(RabbitFailed):
        rabbit.depth(amqp_url, QUEUE)
    with pytest.raises(RabbitFailed):
        rabbit.delete_queue(amqp_url, QUEUE)


async def test_under_the_memory_alarm_no_message_is_confirmed(rabbit: PrivateRabbit, amqp_url: str) -> None:
    await _publish(amqp_url, b"before")
    rabbit.set_memory_alarm(True)
    try:
        connection = await aio_pika.connect(amqp_url, timeout=10)
        channel = await connection.channel()
        publishing = asyncio.create_task(
            channel.default_exchange.publish(aio_pika.Message(b"under"), routing_key=QUEUE)
        )
        await asyncio.wait([publishing], timeout=0.5)
        assert not publishing.done()
    finally:
        rabbit.set_memory_alarm(False)
    async with asyncio.timeout(30):
        await publishing
    await connection.close()
    assert rabbit.depth(amqp_url, QUEUE) == 2


async def test_a_confirmed_message_survives_a_killed_node_and_not_a_wiped_one() -> None:
    with PrivateRabbit() as node:
        url = node.create_vhost()
        await _publish(url, b"kept")
        node.settle()
        node.kill()
        with pytest.raises(ConnectionError):
            await aio_pika.connect(url, timeout=10)
        node.revive()
        assert await _take(url) == b"kept"
        await _publish(url, b"lost")
        node.wipe()
        async with _channel(url) as channel:
            with pytest.raises(ChannelNotFoundEntity):
                await channel.get_queue(QUEUE)
        await _publish(url, b"new")
        assert node.depth(url, QUEUE) == 1


async def test_a_stopped_application_takes_no_connection_until_it_starts_again() -> None:
    with PrivateRabbit() as node:
        node.stop_app()
        with pytest.raises(ConnectionError):
            await aio_pika.connect(node.url, timeout=10)
        node.start_app()
        await _publish(node.url, b"again")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens where")
def test_a_node_listens_on_the_loopback_alone(rabbit: PrivateRabbit) -> None:
    found = _listening({rabbit.pid, rabbit.mapper.pid})
    assert {f"0100007F:{port:04X}" for port in (rabbit.port, rabbit.mapper.port)} <= set(found)
    loopback = ("0100007F", "00000000000000000000000001000000")
    assert [address for address in found if address.partition(":")[0] not in loopback] == []


def test_a_stopped_node_leaves_no_process_no_port_and_no_folder() -> None:
    node = PrivateRabbit()
    node.start()
    pids, ports, folders = (node.pid, node.mapper.pid), (node.port, node.mapper.port), (node.folder, node.mapper.home)
    for pid in pids:
        os.kill(pid, 0)
    node.stop()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    for port in ports:
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", port))
    for folder in folders:
        assert folder is not None
        assert not folder.exists()
    node.stop()


def test_a_node_stops_when_the_work_inside_it_fails() -> None:
    pids: list[int] = []

    def work() -> None:
        with PrivateRabbit() as node:
            pids.extend((node.pid, node.mapper.pid))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_node_that_was_not_started_makes_no_virtual_host() -> None:
    with pytest.raises(RabbitFailed):
        PrivateRabbit().create_vhost()


def test_a_node_that_cannot_start_says_why_and_leaves_nothing() -> None:
    node = PrivateRabbit(settings={"no_such_setting": "1"})
    with pytest.raises(RabbitFailed, match="no_such_setting"):
        node.start()
    assert (node.folder, node.mapper.home) == (None, None)


def test_a_missing_server_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RABBITMQ_TOOLS", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RabbitMissing, match=r"(?s)请安装.*apt-get install rabbitmq-server"):
        find_tool("epmd")


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="only Linux tells a child that its parent died")
def test_a_node_does_not_outlive_a_killed_test_run() -> None:
    script = (
        "import time; from tests.kit.rabbit import PrivateRabbit; node = PrivateRabbit(); node.start();"
        "print(node.pid, node.mapper.pid, node.folder, node.mapper.home, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid, mapper_pid, *folders = run.stdout.readline().split()
        run.kill()
    try:
        assert _gone(int(pid))
        assert _gone(int(mapper_pid))
    finally:
        for folder in folders:
            shutil.rmtree(folder)
