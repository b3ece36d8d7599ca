"""A view is rebuilt beside the live one; nobody notices until the switch, and what goes wrong leaves it as it was."""

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import text, update

from avow.eventlog.database import open_database
from avow.eventlog.records import Recorded
from avow.projections import rebuild as rebuilding
from avow.projections.builds import begin, builds_of, create_views, live_build
from avow.projections.folding import CannotFold
from avow.projections.projection import Projection, Row, on
from avow.projections.rebuild import Missing, NothingKept, Superseded, bring_up, rebuild, roll_back
from avow.projections.runner import Runner
from tests.kit.adversary import drop_table
from tests.kit.logs import Log, Noted, a_log, a_unit, identity, on_database, proposed
from tests.kit.sample_projection import (
    SAMPLE_TYPES,
    Rebuilt,
    Sample,
    a_history,
    catch_up,
    content,
    prepare,
    units,
)

EVENTS = 300


class Fragile(Sample):
    """The same, with a fold that breaks at a note."""

    @on(Noted, unit=units.at("text"))
    def noted(self, event: Noted, recorded: Recorded, unit: Row) -> None:
        raise ZeroDivisionError


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log of some hundred events, and the sample projection at its end."""
    async with a_log(engine_url, orgs=("demo", "other"), types=SAMPLE_TYPES) as opened:
        await prepare(opened, Sample())
        await opened.append(*(proposed(event) for event in a_history(3, EVENTS)))
        await opened.append(*(proposed(event) for event in a_history(4, 50)), org="other")
        for org in ("demo", "other"):
            await catch_up(opened, Sample(), org=org)
        yield opened


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "PAGES", {"sqlite": 25, "postgresql": 25})


async def states(log: Log, projection: Projection | None = None) -> dict[int, str]:
    found = await log.database.read(partial(builds_of, projection=projection or Sample()))
    return {one.build: str(one.state) for one in found}


async def damage(log: Log, build: int = 1) -> None:
    """Alter a unit's row of `demo` behind everybody's back."""
    table = units.stored(1, build)
    await log.database.write(lambda c: c.execute(update(table).where(table.c.org == "demo").values(inspected=99)))


async def tables(log: Log) -> set[str]:
    """Tables of the sample's units, whatever the build."""
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if log.database.dialect == "sqlite"
        else "SELECT tablename FROM pg_tables"
    )
    names = await log.database.read(lambda c: c.scalars(text(sql)).all())
    return {str(name) for name in names if str(name).startswith("sample_unit")}


class TestRebuilding:
    async def test_a_rebuilt_view_is_the_one_it_replaces(self, log: Log) -> None:
        before = await content(log, Sample())
        done = await rebuild(log.database, Sample(), log.types)
        assert (done.before, done.build, done.differences) == (1, 2, ())
        assert done.compared == done.positions == {"demo": EVENTS + 1, "other": 51}
        assert await content(log, Sample()) == before
        assert await states(log) == {1: "kept", 2: "live"}

    async def test_readers_of_the_stable_name_are_given_the_live_build(self, log: Log) -> None:
        await rebuild(log.database, Sample(), log.types)
        await damage(log, 2)
        for name in ("sample_unit", "sample_unit_v1"):
            query = text(f"SELECT count(*) FROM {name} WHERE org = 'demo' AND inspected = 99")
            assert await log.database.read(lambda c, query=query: c.scalar(query)) > 0  # type: ignore[misc]

    async def test_what_was_damaged_is_named_and_mended_and_can_be_had_back(self, log: Log) -> None:
        sound = await content(log, Sample())
        await damage(log)
        damaged = await content(log, Sample())
        done = await rebuild(log.database, Sample(), log.types)
        (difference,) = done.differences
        assert (difference.org, difference.table, difference.position) == ("demo", "sample_unit", EVENTS + 1)
        assert difference.live is not None
        assert difference.live.rows == difference.rebuilt.rows
        assert await content(log, Sample()) == sound
        back = await roll_back(log.database, Sample(), log.types)
        assert (back.build, back.before) == (1, 2)
        assert await content(log, Sample()) == damaged
        assert await states(log) == {1: "live", 2: "kept"}

    async def test_a_build_that_was_kept_comes_back_up_to_date(self, log: Log) -> None:
        await rebuild(log.database, Sample(), log.types)
        await log.append(*(proposed(event) for event in a_history(9, 60)))
        await catch_up(log, Sample())
        now = await content(log, Sample())
        assert (await roll_back(log.database, Sample(), log.types)).positions["demo"] == EVENTS + 61
        assert await content(log, Sample()) == now

    async def test_one_earlier_build_is_kept_and_older_ones_are_dropped(self, log: Log) -> None:
        with pytest.raises(NothingKept):
            await roll_back(log.database, Sample(), log.types)
        for _ in range(3):
            await rebuild(log.database, Sample(), log.types)
        assert await states(log) == {3: "kept", 4: "live"}
        assert await tables(log) == {"sample_unit_v1_b3", "sample_unit_v1_b4"}

    async def test_a_view_is_rebuilt_while_people_work(self, log: Log) -> None:
        runner = Runner(log.database, log.types, [Sample()], log.grown)
        runner.start()
        going, written = asyncio.Event(), 0

        async def work() -> None:
            nonlocal written
            while not going.is_set():
                await log.append(*(proposed(event) for event in a_history(written, 3)))
                written += 3
                await asyncio.sleep(0.002)

        working = asyncio.create_task(work())
        done = await rebuild(log.database, Sample(), log.types)
        during = written
        going.set()
        await working
        last = (await log.head()).position
        await runner.reach("demo", last, ["sample"])
        await runner.stop()
        assert (done.differences, during > 0, runner.stopped) == ((), True, {})
        await prepare(log, Rebuilt())
        if await log.database.read(partial(live_build, projection=Rebuilt())) is None:
            await bring_up(log.database, Rebuilt(), log.types)
        await catch_up(log, Rebuilt())
        assert await content(log, Sample()) == await content(log, Rebuilt())

    async def test_one_organisation_can_be_rebuilt_beside_the_others(self, log: Log) -> None:
        sound, others = await content(log, Sample()), await content(log, Sample(), "other")
        await damage(log)
        done = await rebuild(log.database, Sample(), log.types, only="demo")
        assert list(done.positions) == ["demo"]
        assert (await content(log, Sample()), await content(log, Sample(), "other")) == (sound, others)
        assert await catch_up(log, Sample(), org="other") == 51

    async def test_a_view_whose_table_is_gone_stands_still_until_it_is_rebuilt(self, log: Log) -> None:
        before = await content(log, Sample())
        await log.database.write(partial(drop_table, units.stored(1, 1)))
        await log.append(proposed(a_unit(77, "z")))
        runner = Runner(log.database, log.types, [Sample()], log.grown)
        await runner.advance()
        assert set(runner.stopped) == {"sample"}
        with pytest.raises(Missing):
            await rebuild(log.database, Sample(), log.types, only="demo")
        done = await rebuild(log.database, Sample(), log.types)
        assert {one.table for one in done.differences if one.live is None} >= {"sample_unit"}
        await runner.advance()
        assert runner.stopped == {}
        assert await content(log, Sample()) != before

    async def test_a_fold_that_breaks_leaves_the_live_view_as_it_was(self, log: Log) -> None:
        before = await content(log, Sample())
        await log.append(proposed(Noted(text=identity(1))))
        with pytest.raises(CannotFold) as stopped:
            await rebuild(log.database, Fragile(), log.types)
        assert stopped.value.position == EVENTS + 2
        assert await states(log) == {1: "live"}
        assert await content(log, Sample()) == before

    async def test_a_rebuild_that_was_overtaken_gives_up(self, log: Log) -> None:
        def overtake(org: str, position: int, last: int) -> None:
            if position > 100 and not overtaken:
                overtaken.append(asyncio.create_task(log.database.write(partial(begin, projection=Sample()))))

        overtaken: list[asyncio.Task[int]] = []
        with pytest.raises(Superseded):
            await rebuild(log.database, Sample(), log.types, told=overtake)
        assert await states(log) == {1: "live", await overtaken[0]: "building"}

    @pytest.mark.parametrize("lines", [1, 3, 12, 20, 29])
    async def test_killed_at_any_moment_it_leaves_the_live_view_and_can_be_run_again(
        self, log: Log, lines: int
    ) -> None:
        before = await content(log, Sample())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.kit.rebuilding", log.url, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(lines):
            assert await process.stdout.readline()
        process.kill()
        await process.wait()
        assert await content(log, Sample()) == before
        last = (await log.append(proposed(a_unit(88, "z"))))[-1].position
        assert await catch_up(log, Sample()) == last
        done = await rebuild(log.database, Sample(), log.types)
        assert (done.differences, done.positions["demo"]) == ((), last)
        assert sorted((await states(log)).values()) == ["kept", "live"]


class TestVersions:
    async def test_a_new_version_is_built_beside_the_one_people_read(self, log: Log) -> None:
        assert await log.database.write(partial(create_views, projections=[Rebuilt()])) != []
        assert await log.database.read(partial(live_build, projection=Rebuilt())) is None
        await bring_up(log.database, Rebuilt(), log.types)
        assert await content(log, Rebuilt()) == await content(log, Sample())
        assert await states(log) == {1: "live", 2: "live"}
        await damage(log, 1)
        query = text("SELECT count(*) FROM sample_unit WHERE inspected = 99")
        assert await log.database.read(lambda c: c.scalar(query)) == 0

    async def test_several_processes_bring_a_version_up_together(self, log: Log) -> None:
        database = open_database(log.url)
        for one in (log.database, database):
            await one.write(partial(create_views, projections=[Rebuilt()]))
        await asyncio.gather(*(bring_up(one, Rebuilt(), log.types) for one in (log.database, database)))
        await database.close()
        assert await content(log, Rebuilt()) == await content(log, Sample())

    async def test_a_version_that_cannot_go_on_is_live_as_far_as_it_came(self, log: Log) -> None:
        class Broken(Fragile):
            version = 2

        await log.append(proposed(Noted(text=identity(1))))
        await log.database.write(partial(create_views, projections=[Broken()]))
        await bring_up(log.database, Broken(), log.types)
        runner = Runner(log.database, log.types, [Broken()], log.grown)
        await runner.advance()
        assert runner.stopped["sample"].position == EVENTS + 2

    async def test_the_version_before_the_last_is_dropped(self, log: Log) -> None:
        class Third(Sample):
            version = 3

        for projection in (Rebuilt(), Third()):
            await log.database.write(partial(create_views, projections=[projection]))
            await bring_up(log.database, projection, log.types)
        assert await tables(log) == {"sample_unit_v2_b2", "sample_unit_v3_b3"}


class TestSeveral:
    async def test_two_runners_give_the_rows_of_one(self, log: Log) -> None:
        database = open_database(log.url)
        other = on_database(database, log.url, log.ports, SAMPLE_TYPES)
        runners = [Runner(one.database, one.types, [Sample()], one.grown) for one in (log, other)]
        for runner in runners:
            runner.start()
        for n in range(20):
            await log.append(*(proposed(event) for event in a_history(n, 10)))
        last = (await log.head()).position
        for runner in runners:
            await runner.reach("demo", last, ["sample"])
            assert runner.stopped == {}
            await runner.stop()
        await database.close()
        done = await rebuild(log.database, Sample(), log.types)
        assert done.differences == ()
