"""The same log gives the same rows: live or rebuilt, in pages of any size, by one process or two, on either engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, select, text
from sqlalchemy.event import listen

from avow.eventlog import reading
from avow.eventlog.database import open_database
from avow.eventlog.keys import destroy_keys
from avow.eventlog.records import Recorded
from avow.eventlog.seals import ERASED, open_seals
from avow.kernel.seal import Seal
from avow.projections.projection import Projection, Row, ViewTable, key, number, on, table
from avow.projections.projector import CannotFold, position_of
from tests.kit.logs import START, Log, Noted, a_log, a_person, a_unit, enrolled, identity, left, on_database, proposed
from tests.kit.sample_projection import (
    SAMPLE_TYPES,
    Rebuilt,
    Sample,
    UnitsInspected,
    a_history,
    catch_up,
    content,
    copy_log,
    memberships,
    names,
    people,
    prepare,
    units,
)

notes = table("sample_note", key("text"), number("seen", 0))


class Fragile(Projection):
    """Counts notes, and breaks on the word `break`, or by a number no column takes, until it is repaired."""

    name, version, tables = "fragile", 1, (notes,)
    broken = True

    @on(Noted, row=notes.at("text"))
    def noted(self, event: Noted, recorded: Recorded, row: Row) -> None:
        if event.text == "break" and self.broken:
            raise ZeroDivisionError
        row["seen"] += 2**63 if event.text == "too much" and self.broken else 1


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log beside which the sample projections have their tables."""
    async with a_log(engine_url, types=SAMPLE_TYPES) as opened:
        await prepare(opened, Sample(), Rebuilt(), Fragile())
        yield opened


async def _rows(log: Log, view: ViewTable) -> dict[Any, dict[str, Any]]:
    """The rows of a view by their keys."""
    sql = view.sql(1)

    def read(connection: Connection) -> dict[Any, dict[str, Any]]:
        rows = [dict(row) for row in connection.execute(select(sql)).mappings()]
        return {tuple(row[name] for name in view.keys): row for row in rows}

    return await log.database.read(read)


def _run(statement: Executable, connection: Connection) -> None:
    connection.execute(statement)


async def _live(log: Log, seed: int, events: int = 90) -> None:
    """A history that is projected while it happens."""
    past = a_history(seed, events)
    for start in range(0, events, 10):
        await log.append(*(proposed(event) for event in past[start : start + 10]))
        await catch_up(log, Sample())


class TestProjections:
    async def test_each_kind_of_row_and_column_comes_back_as_it_was_folded(self, log: Log) -> None:
        day = timedelta(days=1)
        await log.append(
            *(proposed(event) for event in (a_unit(1, "支部"), a_unit(2, "支部"), a_person(3), enrolled(3, 1))),
            *(proposed(event) for event in (left(3, 1, START + day), enrolled(3, 1, START + 2 * day))),
            proposed(UnitsInspected(unit_ids=(identity(1), identity(2), identity(1)))),
        )
        assert await catch_up(log, Sample()) == 8
        found = await _rows(log, units)
        assert found[(identity(1),)] == {
            "org": "demo",
            "unit_id": identity(1),
            "name": "支部",
            "members": 1,
            "inspected": 2,
            "share": Decimal("0.125"),
            "open": False,
            "founded_on": date(2010, 6, 1),
            "history": [1, {"in": identity(3)}, {"in": identity(3)}],
        }
        assert (found[(identity(2),)]["inspected"], found[(identity(2),)]["share"]) == (1, None)
        assert [(row["since"], row["until"]) for row in (await _rows(log, memberships)).values()] == [
            (START, START + day),
            (START + 2 * day, None),
        ]
        assert (await _rows(log, names))[("支部",)]["units"] == 2
        assert (await _rows(log, people))[(identity(3),)]["memberships"] == 2

    async def test_a_seal_stays_closed_in_a_row_and_opens_only_for_who_reads(self, log: Log) -> None:
        await log.append(proposed(a_person(3, "傅明哲")))
        await catch_up(log, Sample())
        before = await content(log, Sample())
        seal = (await _rows(log, people))[(identity(3),)]["name"]
        assert isinstance(seal, Seal)
        assert await log.database.read(lambda c: open_seals(c, "demo", [seal])) == {seal: "傅明哲"}
        await log.database.write(lambda c: destroy_keys(c, "demo", [seal.subject]))
        assert await log.database.read(lambda c: open_seals(c, "demo", [seal])) == {seal: ERASED}
        assert await content(log, Sample()) == before

    async def test_a_row_nobody_writes_to_is_not_stored(self, log: Log) -> None:
        await log.append(proposed(enrolled(3, 1)), proposed(UnitsInspected(unit_ids=(identity(5),))))
        assert await catch_up(log, Sample()) == 3
        assert await _rows(log, units) == {}
        assert await _rows(log, people) == {}
        assert len(await _rows(log, memberships)) == 1

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
    async def test_where_pages_end_makes_no_difference(self, log: Log, limit: int) -> None:
        await _live(log, seed=limit)
        assert len(await _rows(log, memberships)) > 5
        await catch_up(log, Rebuilt(), limit)
        assert await content(log, Rebuilt()) == await content(log, Sample())

    async def test_what_was_live_is_rebuilt_elsewhere_to_the_same_content(
        self, log: Log, new_engine_url: Callable[[], str]
    ) -> None:
        await _live(log, seed=8)
        async with a_log(new_engine_url(), orgs=(), types=SAMPLE_TYPES) as fresh:
            await copy_log(log.database, fresh.database)
            await prepare(fresh, Sample())
            assert await catch_up(fresh, Sample(), 11) == await catch_up(log, Sample())
            assert await content(fresh, Sample()) == await content(log, Sample())

    async def test_rows_altered_behind_the_folds_back_have_another_checksum(self, log: Log) -> None:
        await log.append(*(proposed(event) for event in (a_unit(1), a_unit(2), enrolled(3, 1))))
        await catch_up(log, Sample())
        unit, held = units.stored(1, 1), memberships.stored(1, 1)
        seen = [await content(log, Sample())]
        for statement in (
            unit.update().where(unit.c.unit_id == identity(1)).values(inspected=1),
            unit.update().where(unit.c.unit_id == identity(1)).values(name=None),
            held.update().values(since=START + timedelta(microseconds=1)),
            unit.delete().where(unit.c.unit_id == identity(2)),
        ):
            await log.database.write(partial(_run, statement))
            seen.append(await content(log, Sample()))
        assert len(set(seen)) == 5

    async def test_organisations_are_folded_apart(self, engine_url: str) -> None:
        async with a_log(engine_url, orgs=("demo", "other"), types=SAMPLE_TYPES) as log:
            await prepare(log, Sample())
            await log.append(proposed(a_unit(1, "a")), proposed(a_unit(2, "a")))
            await log.append(proposed(a_unit(1, "a")), org="other")
            assert await catch_up(log, Sample()) == 3
            assert await log.database.read(lambda c: position_of(c, "other", Sample())) is None
            await catch_up(log, Sample(), org="other")
            sql = names.sql(1)
            found = await log.database.read(lambda c: c.execute(select(sql.c.org, sql.c.units)).all())
            assert sorted(tuple(row) for row in found) == [("demo", 2), ("other", 1)]
            assert await content(log, Sample()) != await content(log, Sample(), "other")

    @pytest.mark.parametrize("word", ["break", "too much"])
    async def test_an_event_that_cannot_be_folded_leaves_rows_and_checkpoint_untouched(
        self, log: Log, word: str
    ) -> None:
        fragile = Fragile()
        await log.append(proposed(Noted(text="a")))
        assert await catch_up(log, fragile) == 2
        await log.append(*(proposed(Noted(text=text)) for text in ("a", word, "b")))
        for _ in range(2):
            with pytest.raises(CannotFold) as stopped:
                await catch_up(log, fragile, limit=1)
            assert (stopped.value.projection, stopped.value.position) == ("fragile", 4)
            assert stopped.value.__cause__ is not None
            assert await log.database.read(lambda c: position_of(c, "demo", fragile)) == 3
            assert {k: row["seen"] for (k,), row in (await _rows(log, notes)).items()} == {"a": 2}
        fragile.broken = False
        assert await catch_up(log, fragile) == 5
        assert {k: row["seen"] for (k,), row in (await _rows(log, notes)).items()} == {"a": 2, word: 1, "b": 1}

    async def test_nothing_of_a_page_is_written_when_its_last_event_cannot_be_folded(self, log: Log) -> None:
        await log.append(*(proposed(Noted(text=text)) for text in ("a", "b", "break")))
        with pytest.raises(CannotFold) as stopped:
            await catch_up(log, Fragile())
        assert stopped.value.position == 4
        assert not await log.database.read(lambda c: position_of(c, "demo", Fragile()))
        assert await _rows(log, notes) == {}

    async def test_an_event_nobody_declared_stops_the_projection_that_wants_it(self, log: Log) -> None:
        stranger = on_database(log.database, log.url, log.ports, types=())
        await log.append(proposed(Noted(text="a")))
        with pytest.raises(CannotFold) as stopped:
            await catch_up(stranger, Fragile())
        assert stopped.value.reason == "UnknownSchema: note.noted.v1"

    async def test_two_who_project_at_once_give_the_rows_of_one(self, log: Log) -> None:
        past = a_history(10, 200)
        await log.append(*(proposed(event) for event in past))
        database = open_database(log.url)
        other = on_database(database, log.url, log.ports, SAMPLE_TYPES)
        reached = await asyncio.gather(*(catch_up(one, Sample(), 3) for one in (log, other, log)))
        await database.close()
        assert set(reached) == {201}
        await catch_up(log, Rebuilt())
        assert await content(log, Sample()) == await content(log, Rebuilt())


async def test_both_engines_give_the_same_content(tmp_path: Path, postgres_url: str) -> None:
    async with (
        a_log(f"sqlite:///{tmp_path}/log.db", types=SAMPLE_TYPES) as lite,
        a_log(postgres_url, orgs=(), types=SAMPLE_TYPES) as postgres,
    ):
        for log in (lite, postgres):
            await prepare(log, Sample())
        await _live(lite, seed=11, events=300)
        await copy_log(lite.database, postgres.database)
        await catch_up(postgres, Sample(), 17)
        assert len(await _rows(postgres, names)) == 6
        assert await content(postgres, Sample()) == await content(lite, Sample())


async def test_postgresql_does_not_read_a_page_by_the_index_of_types(postgres_url: str) -> None:
    async with a_log(postgres_url, types=SAMPLE_TYPES) as log:
        # What the planner knows of a log that has grown since: there is next to nothing of this type.
        await log.append(*(proposed(a_unit(n)) for n in range(400)))
        await log.database.write(partial(_run, text("ANALYZE event")))
        for start in range(0, 3000, 500):
            await log.append(*(proposed(Noted(text=str(n))) for n in range(start, start + 500)))
        asked: list[tuple[str, Any]] = []

        def look(connection: Connection) -> str:
            def note(_c: object, _k: object, statement: str, given: Any, _x: object, _m: object) -> None:
                asked.append((statement, given))

            listen(connection, "before_cursor_execute", note)
            reading.page(connection, "demo", 0, 2**53, ["note.noted"], 100)
            ((statement, given),) = asked
            return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", given).scalars())

        plan = await log.database.read(look)
        assert "event_by_type" not in plan, plan
