"""A place that was kept is found again, one that was not is not; where there is a transaction the work goes with it."""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url

from avow.subscriber import Checkpoint, FileCheckpoint, Place, PostgresCheckpoint, SqliteCheckpoint

Level = Literal["DEFERRED"] | None
HERE = Place("demo", "pledge", UUID(int=7), 12, bytes(range(32)))
THERE = Place("demo", "evaluation", UUID(int=8), 0, None)


@dataclass(frozen=True)
class Kept:
    """A checkpoint, and how it is opened again after its process died."""

    checkpoint: Checkpoint
    again: Callable[[], Checkpoint]


@pytest.fixture(params=["file", "sqlite", "sqlite, explicit", "postgresql"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "file":
        path = tmp_path / "place.json"
        yield Kept(FileCheckpoint(path), lambda: FileCheckpoint(path))
    elif request.param == "postgresql":
        address = make_url(request.getfixturevalue("postgres_url")).set(drivername="postgresql")
        connections = [await asyncpg.connect(address.render_as_string(hide_password=False)) for _ in range(2)]
        yield Kept(PostgresCheckpoint(connections[0], "one"), lambda: PostgresCheckpoint(connections[1], "one"))
        for connection in connections:
            await connection.close()
    else:
        level: Level = None if "explicit" in request.param else "DEFERRED"
        databases = [sqlite3.connect(tmp_path / "mine.db", isolation_level=level) for _ in range(2)]
        yield Kept(SqliteCheckpoint(databases[0], "one"), lambda: SqliteCheckpoint(databases[1], "one"))
        for database in databases:
            database.close()


async def test_each_log_has_a_place_of_its_own_that_is_found_again(kept: Kept) -> None:
    assert await kept.checkpoint.load() == {}
    for place in (HERE, THERE, replace(HERE, sequence=13)):
        async with kept.checkpoint.transaction():
            await kept.checkpoint.move(place)
    places = await kept.again().load()
    assert places == {HERE.log: replace(HERE, sequence=13), THERE.log: THERE}


async def test_two_subscribers_in_one_database_do_not_know_each_other(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "mine.db")
    one, other = SqliteCheckpoint(database, "one"), SqliteCheckpoint(database, "other")
    await one.load()
    async with one.transaction():
        await one.move(HERE)
    assert (await one.load(), await other.load()) == ({HERE.log: HERE}, {})
    database.close()


@pytest.mark.parametrize("level", ["DEFERRED", None])
async def test_what_raises_keeps_neither_the_work_nor_the_move(tmp_path: Path, level: Level) -> None:
    database = sqlite3.connect(tmp_path / "mine.db", isolation_level=level)
    database.execute("CREATE TABLE work (n INTEGER)")
    checkpoint = SqliteCheckpoint(database, "one")
    await checkpoint.load()

    async def fail() -> None:
        async with checkpoint.transaction():
            database.execute("INSERT INTO work VALUES (1)")
            await checkpoint.move(HERE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await checkpoint.load() == {}
    assert database.execute("SELECT * FROM work").fetchall() == []
    async with checkpoint.transaction():
        database.execute("INSERT INTO work VALUES (2)")
        await checkpoint.move(HERE)
    other = sqlite3.connect(tmp_path / "mine.db")
    assert other.execute("SELECT n, sequence FROM work, avow_checkpoint").fetchall() == [(2, 12)]
    database.close()
    other.close()


@pytest.mark.parametrize("text", ["", "{}", '{"places": [{"org": "demo"}]}', "[]"])
async def test_a_file_that_is_no_checkpoint_is_not_taken_for_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "place.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="no checkpoint"):
        await FileCheckpoint(path).load()


async def test_a_file_is_whole_whenever_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    (tmp_path / ".place.json.partial").write_text("what a killed process left")
    checkpoint = FileCheckpoint(path)
    await checkpoint.move(HERE)
    assert await FileCheckpoint(path).load() == {HERE.log: HERE}
    assert os.listdir(tmp_path) == ["place.json"]
