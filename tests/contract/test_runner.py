"""Projections follow the log by themselves; one that cannot go on says so and holds nothing else up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only
from structlog.testing import capture_logs

from avow.contracts.organisation import UnitRegistered
from avow.eventlog.database import Database
from avow.eventlog.records import Recorded
from avow.kernel.refusal import Refusal
from avow.projections import runner as running
from avow.projections.builds import standings
from avow.projections.projection import Projection, Row, key, number, on, table
from avow.projections.projector import create_views, fold, position_of, project
from avow.projections.runner import Runner, Stopped
from tests.kit.adversary import drop_table
from tests.kit.logs import Log, Noted, a_log, a_unit, proposed

T = TypeVar("T")

counts = table("runner_count", key("text"), number("seen", 0))
words = table("runner_word", key("text"), number("seen", 0))
names = table("runner_name", key("name"), number("seen", 0))


class Sturdy(Projection):
    """Counts notes."""

    name, version, tables = "sturdy", 1, (counts,)

    @on(Noted, row=counts.at("text"))
    def noted(self, event: Noted, recorded: Recorded, row: Row) -> None:
        row["seen"] += 1


class Fragile(Projection):
    """Counts notes, and breaks on the word `break` until it is repaired."""

    name, version, tables = "fragile", 1, (words,)
    broken = True

    @on(Noted, row=words.at("text"))
    def noted(self, event: Noted, recorded: Recorded, row: Row) -> None:
        if event.text == "break" and self.broken:
            raise ZeroDivisionError
        row["seen"] += 1


class Roll(Projection):
    """Counts the units that are registered, by name."""

    name, version, tables = "roll", 1, (names,)

    @on(UnitRegistered, row=names.at("name"))
    def registered(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
        row["seen"] += 1


class Away:
    """A database that is away for its first writes."""

    def __init__(self, database: Database, failures: int) -> None:
        self.dialect = database.dialect
        self.failures = failures
        self._database = database

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError
        return await self._database.write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read(work)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        return await self._database.glance(work)

    async def close(self) -> None:
        await self._database.close()


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log with two books, beside which the projections have their tables."""
    async with a_log(engine_url, orgs=("demo", "other")) as opened:
        await opened.database.write(lambda c: create_views(c, [Sturdy(), Fragile(), Roll()]))
        yield opened


def a_runner(log: Log, *projections: Projection, database: Database | None = None) -> Runner:
    return Runner(database or log.database, log.types, projections, log.grown)


async def _note(log: Log, *texts: str, org: str = "demo") -> int:
    """The position of the last note."""
    return (await log.append(*(proposed(Noted(text=text)) for text in texts), org=org))[-1].position


async def _position(log: Log, projection: Projection, org: str = "demo") -> int | None:
    return await log.database.read(lambda c: position_of(c, org, projection))


class TestRunner:
    async def test_projections_follow_the_log_while_it_grows(self, log: Log) -> None:
        runner = a_runner(log, Sturdy())
        runner.start()
        for n in range(2, 7):
            assert await _note(log, f"note {n}") == n
            await runner.reach("demo", n, ["sturdy"])
            assert await _position(log, Sturdy()) == n
        await runner.stop()
        await _note(log, "too late")
        await asyncio.sleep(0.05)
        assert await _position(log, Sturdy()) == 6

    async def test_what_is_at_the_end_of_its_log_is_not_written(self, log: Log) -> None:
        database = Away(log.database, failures=0)
        runner = a_runner(log, Sturdy(), Fragile(), database=database)
        await _note(log, "a")
        await runner.advance()
        database.failures = 1
        await runner.advance()
        last = await _note(log, "b", org="other")
        with pytest.raises(ConnectionRefusedError):
            await runner.advance()
        await runner.advance()
        assert await _position(log, Sturdy(), "other") == last

    async def test_those_whose_events_have_not_come_are_taken_along_unasked(
        self, log: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def noting(connection: Connection, org: str, projection: Projection, *rest: Any) -> None:
            asked.append(projection.name)
            fold(connection, org, projection, *rest)

        runner = a_runner(log, Sturdy(), Roll())
        await runner.advance()
        monkeypatch.setattr(running, "fold", noting)
        for n in range(3):
            last = await _note(log, f"note {n}")
            await runner.advance()
            assert (await _position(log, Sturdy()), await _position(log, Roll())) == (last, last)
        assert asked == ["sturdy"] * 3
        last = (await log.append(proposed(a_unit(1, "支部")), proposed(Noted(text="b"))))[-1].position
        await runner.advance()
        assert asked[3:] == ["sturdy", "roll"]
        assert (await _position(log, Sturdy()), await _position(log, Roll())) == (last, last)
        sql = names.sql(1)
        assert await log.database.read(lambda c: c.scalars(sql.select().with_only_columns(sql.c.seen)).all()) == [1]

    async def test_one_that_stopped_is_named_and_holds_nobody_up(self, log: Log) -> None:
        sturdy, fragile = Sturdy(), Fragile()
        runner = a_runner(log, fragile, sturdy)
        last = await _note(log, "a", "break", "b")
        await runner.advance()
        assert runner.stopped == {"fragile": Stopped("demo", 3, "ZeroDivisionError")}
        assert (await _position(log, sturdy), await _position(log, fragile)) == (last, None)

    async def test_one_that_was_repaired_goes_on_where_it_stopped(self, log: Log) -> None:
        fragile = Fragile()
        runner = a_runner(log, fragile)
        await _note(log, "a")
        await runner.advance()
        last = await _note(log, "a", "break", "b")
        await runner.advance()
        assert runner.stopped["fragile"].position == 4
        assert await _position(log, fragile) == 2
        fragile.broken = False
        await runner.advance()
        assert runner.stopped == {}
        assert await _position(log, fragile) == last
        sql = words.sql(1)
        seen = await log.database.read(lambda c: {row.text: row.seen for row in c.execute(sql.select())})
        assert seen == {"a": 2, "break": 1, "b": 1}

    async def test_an_organisation_that_goes_on_does_not_hide_one_that_stopped(self, log: Log) -> None:
        fragile = Fragile()
        runner = a_runner(log, fragile)
        await _note(log, "break")
        reached = await _note(log, "fine", org="other")
        await runner.advance()
        assert runner.stopped["fragile"].org == "demo"
        assert await _position(log, fragile, "other") == reached

    async def test_of_several_organisations_that_stopped_the_first_is_named(self, log: Log) -> None:
        runner = a_runner(log, Fragile())
        for org in ("other", "demo"):
            await _note(log, "break", org=org)
        await runner.advance()
        assert runner.stopped == {"fragile": Stopped("demo", 2, "ZeroDivisionError")}

    async def test_one_whose_table_is_gone_holds_nobody_up(self, log: Log) -> None:
        sturdy, fragile = Sturdy(), Fragile()
        runner = a_runner(log, fragile, sturdy)
        last = await _note(log, "a")
        await log.database.write(partial(drop_table, words.stored(1, 1)))
        await runner.advance()
        assert (set(runner.stopped), await _position(log, sturdy)) == ({"fragile"}, last)
        await log.database.write(words.stored(1, 1).create)
        await runner.advance()
        assert (runner.stopped, await _position(log, fragile)) == ({}, last)

    async def test_one_that_stops_is_logged_once_until_it_goes_on(self, log: Log) -> None:
        fragile = Fragile()
        runner = a_runner(log, fragile)
        await _note(log, "break")
        with capture_logs() as lines:
            for broken in (True, True, False, True):
                fragile.broken = broken
                await runner.advance()
        assert [(line["event"], line["position"]) for line in lines] == [("projection.stopped", 2)]

    async def test_a_reader_does_not_wait_for_one_that_stopped(self, log: Log) -> None:
        fragile = Fragile()
        runner = a_runner(log, fragile)
        position = await _note(log, "break")
        await runner.advance()
        with pytest.raises(Refusal, match=r"position\.not_reached"):
            await asyncio.wait_for(runner.reach("demo", position, ["fragile"], patience=60), 10)

    async def test_a_reader_waits_though_another_organisation_stopped(self, log: Log) -> None:
        fragile = Fragile()
        runner = a_runner(log, fragile)
        await _note(log, "break")
        await runner.advance()
        position = await _note(log, "fine", org="other")
        waiting = asyncio.create_task(runner.reach("other", position, ["fragile"]))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await runner.advance()
        await waiting

    async def test_a_reader_is_not_kept_for_what_the_log_does_not_hold(self, log: Log) -> None:
        runner = a_runner(log, Sturdy())
        for org, position in (("demo", 2), ("nobody", 1)):
            with pytest.raises(Refusal, match=r"position\.ahead_of_log"):
                await asyncio.wait_for(runner.reach(org, position, ["sturdy"], patience=60), 10)

    async def test_a_reader_loses_patience(self, log: Log) -> None:
        position = await _note(log, "a")
        with pytest.raises(Refusal) as refused:
            await a_runner(log, Sturdy()).reach("demo", position, ["sturdy"], patience=0.05)
        assert refused.value.params == {"position": position, "reached": 0}

    async def test_a_database_that_was_away_is_taken_up_again(self, log: Log) -> None:
        away = Away(log.database, failures=2)
        runner = a_runner(log, Sturdy(), database=away)
        position = await _note(log, "a")
        runner.start()
        await runner.reach("demo", position, ["sturdy"], patience=20)
        await runner.stop()
        assert away.failures == 0
        assert runner.stopped == {}


async def test_one_who_waited_for_another_takes_in_nothing_twice(postgres_url: str) -> None:
    sturdy, position = Sturdy(), partial(position_of, org="demo", projection=Sturdy())
    held, go_on = asyncio.Event(), asyncio.Event()

    async with a_log(postgres_url) as log:

        def take_in_slowly(connection: Connection) -> None:
            standings(connection, "demo", [sturdy], lock=True)
            held.set()
            await_only(go_on.wait())
            project(connection, "demo", sturdy, log.types)

        await log.database.write(lambda c: create_views(c, [sturdy]))
        runner = a_runner(log, sturdy)
        await _note(log, "a")
        await runner.advance()
        await _note(log, "a")
        first = asyncio.create_task(log.database.write(take_in_slowly))
        await held.wait()
        second = asyncio.create_task(runner.advance())
        # Long enough to have come to the place that is held.
        await asyncio.sleep(0.5)
        last = await _note(log, "a")
        go_on.set()
        await asyncio.gather(first, second)
        assert await log.database.read(position) == last
        await _note(log, "b")
        await runner.advance()
        sql = counts.sql(1)
        seen = await log.database.read(lambda c: {row.text: row.seen for row in c.execute(sql.select())})
        assert seen == {"a": 3, "b": 1}
