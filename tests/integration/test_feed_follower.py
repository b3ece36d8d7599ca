"""A follower stays at the end of the source's feed, whatever happens to the source, the network and the messages."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from avow.bus import feed
from avow.bus import follower as following
from avow.bus.feed_client import FeedClient, FeedPage
from avow.eventlog.records import Appended, Import
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.following import PATIENCE, Pair, a_pair, plain
from tests.kit.logs import START, a_log
from tests.unit.bus.serving import cable_to, imported_by, lines_of, say, serving, talk


@pytest.fixture
async def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    """A pair with short pages and short pauses."""
    monkeypatch.setattr(following, "PAGE", 50)
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.5)
    async with a_pair(tmp_path, plain) as opened:
        yield opened


async def test_it_catches_up_page_by_page_and_goes_live(pair: Pair) -> None:
    async with pair.source() as source:
        await say(source, *range(230))
        await pair.has_imported(source)
        await pair.is_in_state("live")
        for n in range(30):
            await say(source, 1000 + n)
        await pair.has_imported(source)
        status = pair.follower.status
        assert (status.state, status.imported_sequence, status.reason) == ("live", 261, None)
        assert status.log_id == (await source.head()).log_id
        assert json.loads(json.dumps(status.as_json()))["since"] == "2010-06-01T08:30:00.123456Z"


async def test_what_is_said_live_is_not_polled_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "POLL", 600.0)
    monkeypatch.setattr(following, "COMPARE_EVERY", 600.0)
    async with pair.source() as source:
        await pair.is_in_state("live")
        for n in range(20):
            await say(source, n)
            await pair.follower.caught_up(2 + n, PATIENCE)


async def test_a_source_that_is_away_and_comes_back_is_followed_without_a_gap(pair: Pair) -> None:
    await pair.is_in_state("unavailable", "ConnectError")
    with pytest.raises(TimeoutError):
        await pair.follower.caught_up(1, patience=0.05)
    for start in range(0, 400, 100):
        async with pair.source() as source:
            talking = asyncio.create_task(talk(source, range(start, start + 90)))
            # The first time it goes in the middle of catching up or just after, then while it is listened to.
            await pair.follower.caught_up(start // 2 + 1, PATIENCE)
            await talking
        async with a_log(source.url, Ports(SimulatedClock(START), seeded(start + 7))) as away:
            await say(away, *range(start + 90, start + 100))
        await pair.is_in_state("unavailable")
    async with pair.source() as source:
        await pair.has_imported(source)
        assert pair.follower.status.imported_sequence == 401


async def test_connections_that_break_anywhere_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAGE", 20)
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.25)
    sizes = Random(1)
    async with (
        a_log(f"sqlite:///{tmp_path}/source.db") as source,
        serving(source) as url,
        cable_to(url) as (near, cable),
    ):
        cable.carries = lambda: sizes.randrange(100, 60_000) if cable.connections < 12 else 2**62
        await say(source, *range(200))
        async with a_pair(tmp_path, plain, near) as pair, asyncio.timeout(2 * PATIENCE):
            while cable.connections < 12:
                await say(source, 1000)
                await asyncio.sleep(0.01)
            await pair.has_imported(source)


async def test_a_source_whose_log_was_opened_anew_is_not_imported_from(pair: Pair) -> None:
    async with pair.source() as source:
        await say(source, *range(5))
        await pair.has_imported(source)
    log_id = pair.follower.status.log_id
    with capture_logs() as logged:
        async with pair.source("anew", seed=3) as anew:
            await say(anew, *range(20))
            await pair.is_in_state("source_changed")
            assert str((await anew.head()).log_id) in str(pair.follower.status.reason)
            await asyncio.sleep(1)
            assert pair.follower.status.log_id == log_id
    assert [entry["log_level"] for entry in logged if entry.get("state") == "source_changed"] == ["error"]
    assert len(await imported_by(pair.importer)) == 6
    async with pair.source() as source:
        await say(source, 100)
        await pair.has_imported(source)
        await pair.is_in_state("live")


async def test_a_source_restored_from_a_backup_is_noticed_also_after_it_grew(pair: Pair) -> None:
    async with pair.source() as source:
        await say(source, *range(5))
    shutil.copy(pair.folder / "source.db", pair.folder / "restored.db")
    async with pair.source() as source:
        await say(source, *range(5, 10))
        await pair.has_imported(source)
        imported = await lines_of(source)
    async with pair.source("restored", seed=8) as restored:
        await pair.is_in_state("source_behind", "the source's log ends at 6")
        assert (pair.follower.status.imported_sequence, pair.follower.status.source_head) == (11, 6)
        await say(restored, 50, 51)
        await pair.is_in_state("source_changed", "the source says something else from sequence 7 on")
        assert pair.follower.status.source_head == 8
        await say(restored, *range(52, 70))
        await pair.until(lambda status: status.source_head == 26)
        await pair.is_in_state("source_changed", "the source says something else from sequence 7 on")
    await asyncio.sleep(1)
    assert pair.follower.status.state == "source_changed", "a source that does not answer is not in order for that"
    assert await imported_by(pair.importer) == list(enumerate(imported, 1))


class Deaf(FeedClient):
    """A reader whose live stream stands and is silent."""

    async def live(self, org: str, after: int) -> AsyncGenerator[list[bytes], None]:
        await asyncio.Event().wait()
        yield []


class Skipping(FeedClient):
    """A reader whose live stream leaves out every third event."""

    async def live(self, org: str, after: int) -> AsyncGenerator[list[bytes], None]:
        async for lines in super().live(org, after):
            for line in lines:
                if json.loads(line)["sequence"] % 3:
                    yield [line]


class Garbling(FeedClient):
    """A reader whose first pages have one event altered on the way."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self.garbled = 0

    async def page(self, org: str, after: int, limit: int = 1000, types: object = None) -> FeedPage:
        page = await super().page(org, after, limit)
        if self.garbled == 3:
            return page
        self.garbled += 1
        return replace(page, lines=[line.replace(b'"sequence":4,', b'"sequence":5,') for line in page.lines])


@pytest.mark.parametrize("reader", [Deaf, Skipping, Garbling])
async def test_events_that_are_lost_or_spoilt_on_the_way_are_fetched_from_the_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: type[FeedClient]
) -> None:
    monkeypatch.setattr(following, "COMPARE_EVERY", 0.1 if reader is Deaf else 60.0)
    async with a_pair(tmp_path, lambda url: reader(url, "token")) as pair, pair.source() as source:
        await say(source, *range(6))
        await pair.has_imported(source)
        await pair.is_in_state("live")
        for n in range(6, 18, 3):
            await say(source, n, n + 1, n + 2)
            await pair.has_imported(source)


async def test_an_event_that_stays_unsound_stops_the_import_and_is_named(tmp_path: Path) -> None:
    def garbling(url: str) -> FeedClient:
        client = Garbling(url, "token")
        client.garbled = -(10**6)
        return client

    async with a_pair(tmp_path, garbling) as pair, pair.source() as source:
        await say(source, *range(6))
        await pair.follower.caught_up(3, PATIENCE)
        await pair.is_in_state("source_unsound", "sequence 4 of the source is unsound")
        garbled = pair.follower.status
        await say(source, *range(6, 12))
        await pair.until(lambda status: status.source_head == 13)
        assert (pair.follower.status.state, pair.follower.status.since) == (garbled.state, garbled.since)
        assert len(await imported_by(pair.importer)) == 3


async def test_a_database_that_is_away_is_waited_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    append = pair.importer.appender.append

    async def failing(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(pair.importer.appender, "append", failing)
    async with pair.source() as source:
        await say(source, *range(6))
        await pair.is_in_state("unavailable", "ConnectionError")
        monkeypatch.setattr(pair.importer.appender, "append", append)
        await pair.has_imported(source)
        await pair.is_in_state("live")


async def test_a_stopped_follower_leaves_nothing_running_and_nothing_half_done(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = pair.importer.appender.append
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(org: str, items: Sequence[Import]) -> list[Appended]:
        begun.set()
        await asyncio.sleep(0.1)
        appended = await append(org, items)
        ended.set()
        return appended

    async with pair.source() as source:
        await say(source, *range(300))
        monkeypatch.setattr(pair.importer.appender, "append", slow)
        await begun.wait()
        await pair.follower.stop()
        assert ended.is_set()
        running = [str(task.get_coro()) for task in asyncio.all_tasks()]
        assert not [name for name in running if "Follower" in name or "Inbox" in name or "FeedClient" in name]
        imported = await imported_by(pair.importer)
        assert imported == list(enumerate(await lines_of(source), 1))[: len(imported)]
        await asyncio.sleep(0.3)
        assert len(await imported_by(pair.importer)) == len(imported)
