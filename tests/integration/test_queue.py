"""The queue is the fast path and never the truth: whatever comes over it, the importer's log is the source's feed."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import update

from avow.bus import follower as following
from avow.bus import place
from avow.bus.feed_client import FeedClient
from tests.kit.transports import Line, a_line, until
from tests.unit.bus.serving import lines_of, say, talk


@pytest.fixture
async def line(tmp_path: Path, amqp_url: str) -> AsyncIterator[Line]:
    async with a_line("rabbitmq", tmp_path, amqp_url) as opened:
        yield opened


async def test_it_is_the_queue_that_carries(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "COMPARE_EVERY", 3_600.0)
    async with line.relaying(), line.following() as follower:
        await say(line.source, 0)
        await line.has_imported_all()
        await until(lambda: follower.status.state == "live")
        await line.is_consumed()
        # The follower asks the feed for nothing from here on.
        monkeypatch.setattr(FeedClient, "page", None)
        await talk(line.source, range(1, 50))
        await line.has_imported_all()


async def test_everything_twice_and_in_any_order(line: Line) -> None:
    async with line.relaying(), line.following():
        await talk(line.source, range(100))
        lines = await lines_of(line.source)
        await line.publish_as_it_is(*Random(3).sample(lines * 2, len(lines) * 2))
        await say(line.source, 100)
        await line.has_imported_all()


async def test_only_some_of_it_and_nothing_for_a_long_time(line: Line) -> None:
    async with line.relaying(), line.following():
        await say(line.source, *range(10))
        await line.has_imported_all()
    await say(line.source, *range(10, 60))
    lines = await lines_of(line.source)
    async with line.following():
        await line.publish_as_it_is(*lines[20:55:3])
        await line.has_imported_all()


async def test_garbage_holds_nothing_up(line: Line) -> None:
    async with line.relaying(), line.following():
        await say(line.source, *range(10))
        await line.has_imported_all()
        altered = (await lines_of(line.source))[3].replace("教工".encode(), "学生".encode())
        await line.publish_as_it_is(b"", b"\xff\x00", b"{}", b"[" * 5_000, altered)
        await talk(line.source, range(10, 40))
        await line.has_imported_all()


async def test_everything_from_the_beginning_again(line: Line) -> None:
    async with line.relaying(), line.following():
        await talk(line.source, range(40))
        await line.has_imported_all()
    await line.source.database.write(lambda connection: connection.execute(update(place.relay).values(sequence=0)))
    async with line.relaying() as relay, line.following():
        await say(line.source, 40)
        await line.has_imported_all()
        assert relay is not None


async def test_one_process_at_a_time_consumes_and_the_next_takes_over(line: Line) -> None:
    async with line.relaying():
        async with line.following() as first:
            async with line.following() as second:
                await talk(line.source, range(30))
                await line.has_imported_all()
                assert {first.status.state, second.status.state} == {"live"}
            await talk(line.source, range(30, 60))
            await line.has_imported_all()
        async with line.following():
            await talk(line.source, range(60, 90))
            await line.has_imported_all()
