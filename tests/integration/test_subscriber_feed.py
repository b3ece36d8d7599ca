"""A subscriber over the feed: all of it, once and in order, from wherever it starts and whatever breaks."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from avow.bus import feed_client
from avow.bus.feed_client import FeedPage
from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.subscriber import (
    FileCheckpoint,
    LeafBroken,
    LogReplaced,
    LogRestored,
    Received,
    Source,
    SqliteCheckpoint,
    Start,
    Subscription,
    subscribe,
)
from avow.subscriber.following import Pace
from tests.kit.logs import ORG, START, Log, a_log, a_person, proposed
from tests.unit.bus.serving import cable_to, free_port, say, serving

PATIENCE = 60.0
BRISK = Pace(page=40, compare_every=0.2, shortest_pause=0.01, longest_pause=0.1)


async def taken(subscription: Subscription, count: int) -> list[Received]:
    """The next events, so many."""
    events: list[Received] = []
    async with asyncio.timeout(PATIENCE), aclosing(subscription.batches()) as batches:
        async for batch in batches:
            events += batch
            if len(events) >= count:
                return events
    raise AssertionError("a subscription does not end")


def source_at(url: str) -> Source:
    return Source(url, "token", ORG)


def sequences(events: list[Received]) -> list[int]:
    return [received.sequence for received in events]


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    async with a_log(f"sqlite:///{tmp_path}/source.db") as log:
        yield log


async def test_what_was_said_comes_first_and_then_what_is_said(log: Log) -> None:
    await say(log, *range(130))
    async with serving(log) as url:
        taking = asyncio.create_task(taken(subscribe(source_at(url), pace=BRISK), 231))
        for n in range(100):
            await say(log, 1000 + n)
            await asyncio.sleep(0.005)
        events = await taking
    assert sequences(events) == list(range(1, 232))
    assert [received.envelope for received in events] == await log.envelopes()
    assert isinstance(events[1].event, UnitRegistered)


async def test_live_events_are_not_waited_for_until_the_next_comparison(log: Log) -> None:
    calm = replace(BRISK, compare_every=600.0)
    async with serving(log) as url:
        subscription = aiter(subscribe(source_at(url), start=Start.NEW, pace=calm))
        coming = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0.5)
        for n in range(10):
            await say(log, n)
            assert (await asyncio.wait_for(coming, PATIENCE)).sequence == n + 2
            coming = asyncio.ensure_future(anext(subscription))
        coming.cancel()


async def test_only_the_types_asked_for_come_from_history_and_live(log: Log) -> None:
    for n in range(60):
        await log.append(proposed(a_person(n)))
        await say(log, n)
    async with serving(log) as url:
        taking = asyncio.create_task(taken(subscribe(source_at(url), types=[PersonRegistered], pace=BRISK), 70))
        await asyncio.sleep(0.3)
        for n in range(60, 70):
            await say(log, n)
            await log.append(proposed(a_person(n)))
        events = await taking
    expected = [each.sequence for each in await log.envelopes() if each.type == "person.registered"]
    assert sequences(events) == expected
    assert {received.type for received in events} == {"person.registered"}


async def test_it_starts_at_a_sequence_a_moment_or_with_what_is_new(tmp_path: Path) -> None:
    clock = SimulatedClock(START)
    async with a_log(f"sqlite:///{tmp_path}/source.db", Ports(clock, seeded(1))) as log, serving(log) as url:
        for n in range(20):
            clock.set(START + timedelta(hours=n))
            await say(log, n)

        async def first(start: Start) -> int:
            return (await taken(subscribe(source_at(url), start=start, pace=BRISK), 1))[0].sequence

        assert await first(Start.BEGINNING) == 1
        assert await first(Start.at(7)) == 7
        assert await first(Start.since(START - timedelta(days=1))) == 1
        # Sequence 1 is the book itself; the event of hour n has sequence n + 2.
        assert await first(Start.since(START + timedelta(hours=5))) == 7
        assert await first(Start.since(START + timedelta(hours=5, seconds=1))) == 8
        for start in (Start.NEW, Start.since(START + timedelta(days=9)), Start.at(22)):
            head = (await log.head()).sequence
            coming = asyncio.create_task(first(start if start.sequence != 22 else Start.at(head + 1)))
            await asyncio.sleep(0.3)
            await say(log, 50)
            assert await coming == head + 1
        with pytest.raises(ValueError, match=r"Start\.at\(99\): the log ends at"):
            await first(Start.at(99))


async def test_a_first_start_is_remembered_even_if_nothing_came(log: Log, tmp_path: Path) -> None:
    async with serving(log) as url:
        await say(log, *range(5))
        path = tmp_path / "place.json"

        def anew() -> Subscription:
            return subscribe(source_at(url), start=Start.NEW, checkpoint=FileCheckpoint(path), pace=BRISK)

        waiting = asyncio.create_task(taken(anew(), 1))
        async with asyncio.timeout(PATIENCE):
            while not path.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await say(log, 6, 7)
        assert sequences(await taken(anew(), 2)) == [7, 8]


async def test_a_checkpoint_goes_on_behind_what_was_done(log: Log, tmp_path: Path) -> None:
    await say(log, *range(100))
    database = sqlite3.connect(tmp_path / "mine.db")
    database.execute("CREATE TABLE seen (sequence INTEGER)")
    checkpoint = SqliteCheckpoint(database, "mine")
    async with serving(log) as url:
        for _ in range(2):
            async with aclosing(subscribe(source_at(url), checkpoint=checkpoint, pace=BRISK).batches()) as batches:
                async for batch in batches:
                    async with checkpoint.transaction():
                        database.executemany("INSERT INTO seen VALUES (?)", [(each.sequence,) for each in batch])
                        await checkpoint.move(batch[-1])
                    break
    seen = [sequence for (sequence,) in database.execute("SELECT sequence FROM seen ORDER BY rowid")]
    assert seen == list(range(1, 81))
    database.close()


async def test_functions_are_called_for_their_types_and_a_failure_keeps_nothing(log: Log, tmp_path: Path) -> None:
    await say(log, *range(20))
    await log.append(proposed(a_person(1)))
    path = tmp_path / "place.json"
    async with serving(log) as url:
        subscription = subscribe(source_at(url), checkpoint=FileCheckpoint(path), pace=replace(BRISK, page=10))
        units: list[int] = []

        @subscription.on(UnitRegistered)
        def count(received: Received) -> None:
            units.append(received.sequence)

        @subscription.on("person.registered")
        async def fail(received: Received) -> None:
            raise ZeroDivisionError(received.sequence)

        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(subscription.run(), PATIENCE)
    assert units == list(range(2, 22))
    (place,) = (await FileCheckpoint(path).load()).values()
    assert place.sequence == 21


async def test_two_logs_are_followed_and_one_that_is_away_holds_the_other_up_not(log: Log, tmp_path: Path) -> None:
    port = free_port()
    await say(log, *range(30))
    async with serving(log) as url, a_log(f"sqlite:///{tmp_path}/other.db", service="evaluation") as other:
        subscription = subscribe(source_at(url), source_at(f"http://127.0.0.1:{port}"), pace=BRISK)
        events: list[Received] = []
        async with asyncio.timeout(PATIENCE), aclosing(subscription.batches()) as batches:
            async for batch in batches:
                events += batch
                if len(events) == 31:
                    break
            await say(other, *range(10))
            async with serving(other, port):
                async for batch in batches:
                    events += batch
                    if len(events) == 42:
                        break
    by_service = {
        service: [e.sequence for e in events if e.envelope.service == service] for service in ("pledge", "evaluation")
    }
    assert by_service == {"pledge": list(range(1, 32)), "evaluation": list(range(1, 12))}


async def test_connections_that_break_anywhere_lose_and_double_nothing(log: Log) -> None:
    sizes = Random(1)
    await say(log, *range(200))
    async with serving(log) as url, cable_to(url) as (near, cable):
        cable.carries = lambda: sizes.randrange(100, 60_000) if cable.connections < 30 else 2**62
        taking = asyncio.create_task(taken(subscribe(source_at(near), pace=BRISK), 301))
        for n in range(100):
            await say(log, 1000 + n)
            await asyncio.sleep(0.01)
            if n % 20 == 0:
                cable.cut()
        assert sequences(await taking) == list(range(1, 302))


async def ends_with(kind: type[Exception], subscription: Subscription) -> str:
    with pytest.raises(kind) as raised:
        await taken(subscription, 10**6)
    return str(raised.value)


async def test_a_log_that_is_not_what_it_was_ends_the_subscription_and_starts_nothing_anew(tmp_path: Path) -> None:
    checkpoint = FileCheckpoint(tmp_path / "place.json")
    async with a_log(f"sqlite:///{tmp_path}/a.db") as log:
        await say(log, *range(5))
    shutil.copy(tmp_path / "a.db", tmp_path / "restored.db")
    async with a_log(f"sqlite:///{tmp_path}/a.db", Ports(SimulatedClock(START), seeded(3))) as log:
        await say(log, *range(5))
        async with serving(log) as url:
            await checkpoint.move((await taken(subscribe(source_at(url), pace=BRISK), 11))[-1])
    ports = Ports(SimulatedClock(START), seeded(4))
    async with a_log(f"sqlite:///{tmp_path}/restored.db", ports) as log, serving(log) as url:
        subscription = subscribe(source_at(url), checkpoint=checkpoint, pace=BRISK)
        assert "ends at 6, and 11 was handled here" in await ends_with(LogRestored, subscription)
        await say(log, *range(4))
        assert "ends at 10, and 11" in await ends_with(LogRestored, subscription)
        await say(log, *range(4))
        assert "sequence 11" in await ends_with(LogReplaced, subscription)
    ports = Ports(SimulatedClock(START), seeded(5))
    async with a_log(f"sqlite:///{tmp_path}/anew.db", ports) as log, serving(log) as url:
        await say(log, *range(30))
        said = await ends_with(LogReplaced, subscribe(source_at(url), checkpoint=checkpoint, pace=BRISK))
        assert str((await log.head()).log_id) in said


async def test_an_event_whose_leaf_does_not_fit_ends_the_subscription(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = feed_client.FeedClient.page

    async def garbled(*arguments: object, **named: object) -> FeedPage:
        came: FeedPage = await page(*arguments, **named)  # type: ignore[arg-type]
        return replace(
            came,
            lines=[
                line.replace("计".encode(), "汁".encode()) if b'"sequence":4,' in line else line for line in came.lines
            ],
        )

    monkeypatch.setattr(feed_client.FeedClient, "page", garbled)
    await say(log, *range(6))
    async with serving(log) as url:
        with pytest.raises(LeafBroken) as broken:
            await taken(subscribe(source_at(url), pace=BRISK), 7)
        assert broken.value.sequence == 4


async def test_when_it_is_over_nothing_is_left_running(log: Log) -> None:
    before = asyncio.all_tasks()
    async with serving(log) as url:
        await say(log, *range(6))
        await taken(subscribe(source_at(url), pace=BRISK), 1)
        names = [str(task.get_coro()) for task in asyncio.all_tasks() - before]
        assert not [name for name in names if "Subscription" in name or "Gathering" in name]


def test_what_cannot_be_subscribed_to_is_refused_at_once() -> None:
    one, other = source_at("http://127.0.0.1:1"), source_at("http://127.0.0.1:2")
    refused: list[Callable[[], object]] = [
        subscribe,
        lambda: subscribe(one, one),
        lambda: subscribe(one, other, start=Start.at(3)),
    ]
    for each in refused:
        with pytest.raises(ValueError, match=r"source|one log"):
            each()
    assert "token" not in repr(one)
