"""One suite for both transports: whatever carries them, the same events arrive, each once, in order, byte for byte."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.kit.logs import Noted, proposed
from tests.kit.transports import Line, Transport, a_line
from tests.unit.bus.serving import imported_by, lines_of, say, talk


@pytest.fixture(params=["feed", "rabbitmq"])
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
async def line(request: pytest.FixtureRequest, transport: Transport, tmp_path: Path) -> AsyncIterator[Line]:
    """A source and an importer, the importer on either engine, and nobody yet who publishes or hears."""
    amqp_url = request.getfixturevalue("amqp_url") if transport == "rabbitmq" else ""
    importer = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    async with a_line(transport, tmp_path, amqp_url, importer) as opened:
        yield opened


async def test_what_was_said_before_while_and_after_it_begins_to_hear(line: Line) -> None:
    await say(line.source, *range(30))
    async with line.relaying():
        await say(line.source, *range(30, 60))
        async with line.following():
            await talk(line.source, range(60, 90))
            await line.has_imported_all()
            await say(line.source, 90)
            await line.has_imported_all()


async def test_private_events_cast_no_shadow(line: Line) -> None:
    async with line.relaying(), line.following():
        for n in range(20):
            await line.source.append(proposed(Noted(text="private")))
            await say(line.source, n)
        await line.has_imported_all()


async def test_more_than_one_page_and_one_window(line: Line) -> None:
    await say(line.source, *range(1_500))
    async with line.relaying(), line.following():
        await line.has_imported_all()


async def test_an_importer_that_is_replaced_again_and_again(line: Line) -> None:
    lots = Random(4)
    async with line.relaying():
        talking = asyncio.create_task(talk(line.source, range(200)))
        while not talking.done():
            async with line.following():
                if line.transport == "rabbitmq":
                    # aio-pika leaves a coroutine behind when it is broken off as it connects.
                    await line.is_consumed()
                await asyncio.sleep(lots.uniform(0.05, 0.3))
        await talking
        async with line.following():
            await line.has_imported_all()


async def test_two_processes_that_hear_at_once(line: Line) -> None:
    async with line.relaying(), line.following(), line.following():
        await talk(line.source, range(150))
        await line.has_imported_all()


async def test_two_processes_that_publish_at_once(line: Line) -> None:
    async with line.relaying(), line.relaying(), line.following():
        await talk(line.source, range(150))
        await line.has_imported_all()


async def test_nothing_is_imported_before_the_source_has_committed_it(line: Line) -> None:
    async with line.relaying(), line.following():
        for n in range(20):
            await say(line.source, n)
            assert len(await imported_by(line.importer)) <= len(await lines_of(line.source))
        await line.has_imported_all()
