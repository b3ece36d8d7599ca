"""The feed live: from any sequence on, each event as it is appended, until one side has enough."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from sqlalchemy import Connection

from avow.bus import feed
from avow.bus.feed_client import FeedClient
from avow.bus.format import HEARTBEAT, frame
from avow.eventlog.database import Database, open_database
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, Log, Noted, a_log, a_unit, on_database, proposed
from tests.unit.bus.serving import free_port, lines_of, say, serving

T = TypeVar("T")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with three public events and a private one."""
    async with a_log(f"sqlite:///{tmp_path}/log.db") as opened:
        await say(opened, 1)
        await opened.append(proposed(Noted(text="私下")), proposed(a_unit(2)))
        yield opened


async def read(client: FeedClient, after: int, count: int) -> list[bytes]:
    """The first `count` lines live after a sequence."""
    lines: list[bytes] = []
    async with asyncio.timeout(30), aclosing(client.live(ORG, after)) as arriving:
        async for together in arriving:
            lines += together
            if len(lines) >= count:
                return lines
    return lines


async def test_what_was_said_before_comes_first_and_what_is_said_now_follows(log: Log) -> None:
    async with serving(log) as url, FeedClient(url, "token") as client:
        reading = asyncio.create_task(read(client, 1, 5))
        for n in range(3):
            await asyncio.sleep(0.05)
            await say(log, 10 + n)
        assert await reading == (await lines_of(log))[1:]


async def test_a_stream_is_heard_at_once_and_goes_on_after_the_last_id(log: Log) -> None:
    lines = await lines_of(log)
    async with serving(log) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        headers = {"Last-Event-ID": "2"}
        response = await http.get(f"/{ORG}/feed/live?after=1&seconds=1", headers=headers)
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.content == HEARTBEAT + frame(3, lines[2])
        response = await http.get(f"/{ORG}/feed/live?after=1&seconds=1")
        assert response.content == HEARTBEAT + frame(2, lines[1]) + frame(3, lines[2])
        assert (await http.get(f"/{ORG}/feed/live", headers={"Last-Event-ID": "x"})).status_code == 422


async def test_a_silent_stream_is_heard_beating(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BEAT", 0.1)
    monkeypatch.setattr(feed, "POLL", 0.05)
    async with serving(log) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        response = await http.get(f"/{ORG}/feed/live?after=3&seconds=1")
    assert response.content.count(HEARTBEAT) > 2
    assert response.content.replace(HEARTBEAT, b"") == b""


async def test_what_another_process_appends_is_found_too(log: Log) -> None:
    other = on_database(open_database(log.url), log.url, Ports(SimulatedClock(START), seeded(9)))
    try:
        async with serving(log) as url, FeedClient(url, "token") as client:
            reading = asyncio.create_task(read(client, 3, 1))
            await asyncio.sleep(0.1)
            await say(other, 30)
            assert await reading == (await lines_of(log))[3:]
    finally:
        await other.database.close()


class Late:
    """A database in which an event is appended just after a read that did not see it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.dialect = log.database.dialect
        self.reads = 0

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._log.database.read(work)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        result = await self._log.database.glance(work)
        self.reads += 1
        if self.reads == 2:
            await say(self._log, 40)
        return result

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._log.database.write(work)

    async def close(self) -> None:
        await self._log.database.close()


async def test_an_event_appended_while_the_stream_was_reading_is_not_waited_for(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "POLL", 600.0)
    late: Database = Late(log)
    async with serving(replace(log, database=late)) as url, FeedClient(url, "token") as client:
        assert await read(client, 3, 1) == (await lines_of(log))[3:]


async def test_a_closing_service_ends_its_streams_at_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "POLL", 600.0)
    port = free_port()
    async with FeedClient(f"http://127.0.0.1:{port}", "token") as client:
        async with serving(log, port):
            reading = asyncio.create_task(read(client, 0, 10))
            await asyncio.sleep(0.2)
            started = time.monotonic()
        assert time.monotonic() - started < 10
        assert await reading == await lines_of(log)


async def test_a_reader_who_leaves_is_not_read_for(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "POLL", 0.02)
    watched = Late(log)
    watched.reads = 100
    async with serving(replace(log, database=watched)) as url:
        async with FeedClient(url, "token") as client:
            await read(client, 0, 3)
        await asyncio.sleep(0.2)
        reads = watched.reads
        await asyncio.sleep(0.2)
        assert watched.reads == reads


async def test_the_environments_proxies_are_not_asked(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with serving(log) as url, FeedClient(url, "token") as client:
        assert (await client.head(ORG)).sequence == 3
