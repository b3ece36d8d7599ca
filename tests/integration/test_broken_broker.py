"""Whatever becomes of the broker, nothing public is lost; what it had carried comes over the feed meanwhile.

The node is these tests' own, since they kill it.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from avow.bus.relay import Relay
from tests.kit.logs import ORG
from tests.kit.rabbit import PrivateRabbit
from tests.kit.transports import Line, a_line, until
from tests.unit.bus.serving import lines_of, say, talk


@pytest.fixture(scope="module")
def node() -> Iterator[PrivateRabbit]:
    with PrivateRabbit() as node:
        yield node


@pytest.fixture
async def line(tmp_path: Path, node: PrivateRabbit) -> AsyncIterator[Line]:
    async with a_line("rabbitmq", tmp_path, node.create_vhost()) as opened:
        yield opened


async def test_a_broker_that_is_killed_and_comes_back(line: Line, node: PrivateRabbit) -> None:
    async with line.relaying() as relay, line.following() as follower:
        assert relay is not None
        await talk(line.source, range(20))
        await line.has_imported_all()
        node.settle()
        node.kill()
        await talk(line.source, range(20, 60))
        await until(lambda: relay.status.state == "unavailable")
        # The feed carries on meanwhile.
        await line.has_imported_all()
        node.revive()
        await talk(line.source, range(60, 80))
        await confirmed(relay, line)
        await line.has_imported_all()
        assert follower.status.state == "live"


async def test_a_broker_that_forgets_everything(line: Line, node: PrivateRabbit) -> None:
    async with line.relaying() as relay, line.following():
        await talk(line.source, range(20))
        await line.has_imported_all()
        node.wipe()
        await talk(line.source, range(20, 40))
        await line.has_imported_all()
        await confirmed(relay, line)
        await say(line.source, 40)
        await line.has_imported_all()


async def test_a_queue_that_is_deleted(line: Line, node: PrivateRabbit) -> None:
    async with line.relaying(), line.following():
        await talk(line.source, range(20))
        await line.has_imported_all()
        node.delete_queue(line.amqp_url, f"evaluation.inbox.{ORG}")
        await talk(line.source, range(20, 40))
        await line.has_imported_all()


async def test_a_broker_out_of_memory_that_reads_nothing_more(line: Line, node: PrivateRabbit) -> None:
    async with line.relaying() as relay, line.following():
        assert relay is not None
        await talk(line.source, range(20))
        await line.has_imported_all()
        node.set_memory_alarm(True)
        try:
            await talk(line.source, range(20, 40))
            await line.has_imported_all()
            await until(lambda: relay.status.state == "unavailable")
        finally:
            node.set_memory_alarm(False)
        await confirmed(relay, line)
        await line.has_imported_all()


async def confirmed(relay: Relay | None, line: Line) -> None:
    """Wait until the broker has everything."""
    assert relay is not None
    head = len(await lines_of(line.source))
    await until(lambda: relay.status.confirmed == head)
