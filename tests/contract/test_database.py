"""Columns that hold one value alike on both engines, and a database of a kind nobody knows."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, insert, make_url, select, text
from sqlalchemy.exc import StatementError

from avow.eventlog.columns import Count, ExactNumber, Instant, Name
from avow.eventlog.database import open_database
from tests.kit.logs import START

things = Table(
    "thing",
    MetaData(),
    Column("name", Name, primary_key=True),
    Column("count", Count),
    Column("at", Instant),
    Column("share", ExactNumber),
)
BIG = 2**63 - 1
FINE = Decimal("123456789012.123456789")


class TestColumns:
    async def test_values_come_back_as_they_went_in_and_in_the_order_of_their_bytes(self, engine_url: str) -> None:
        names = ["Z", "a", "é", "中", "\U0001f600", "a b", "", "ab"]

        def write(connection: Connection) -> None:
            things.create(connection)
            connection.execute(
                insert(things), [{"name": name, "count": BIG, "at": START, "share": FINE} for name in names]
            )
            connection.execute(insert(things), [{"name": "none", "count": None, "at": None, "share": None}])

        database = open_database(engine_url)
        try:
            await database.write(write)
            query = select(things).order_by(things.c.name)
            rows = await database.read(lambda connection: connection.execute(query).all())
        finally:
            await database.close()
        assert [row.name for row in rows] == sorted([*names, "none"], key=str.encode)
        assert {tuple(row)[1:] for row in rows} == {(BIG, START, FINE), (None, None, None)}

    async def test_a_moment_without_a_zone_never_reaches_the_database(self, engine_url: str) -> None:
        naive = datetime.fromisoformat("2010-06-01T00:00:00")

        def write(connection: Connection) -> None:
            things.create(connection)
            connection.execute(insert(things).values(name="a", at=naive))

        database = open_database(engine_url)
        try:
            with pytest.raises(StatementError, match="without a time zone"):
                await database.write(write)
        finally:
            await database.close()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="neither SQLite nor PostgreSQL"):
        open_database("mysql+pymysql://localhost/x")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
async def test_a_database_in_memory_shows_its_readers_what_was_written(url: str) -> None:
    database = open_database(url)
    await database.write(things.create)
    await database.write(lambda connection: connection.execute(insert(things).values(name="a")))
    names = await database.read(lambda connection: connection.scalars(select(things.c.name)).all())
    await database.close()
    assert names == ["a"]


async def test_a_database_file_brings_its_folder_along(tmp_path: Path) -> None:
    path = tmp_path / "var" / "pledge" / "log.db"
    database = open_database(f"sqlite:///{path}")
    await database.write(things.create)
    await database.close()
    assert path.exists()


async def test_a_write_that_raises_leaves_nothing_behind(engine_url: str) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(insert(things).values(name="a"))
        raise ZeroDivisionError

    database = open_database(engine_url)
    try:
        await database.write(things.create)
        with pytest.raises(ZeroDivisionError):
            await database.write(broken)
        assert await database.read(lambda connection: connection.scalars(select(things.c.name)).all()) == []
    finally:
        await database.close()


async def test_a_write_reads_what_was_committed_whatever_the_server_prefers(postgres_url: str) -> None:
    """What is read behind the head lock must be what was committed before it."""
    name = make_url(postgres_url).database
    database = open_database(postgres_url)
    await database.write(
        lambda c: c.execute(text(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'"))
    )
    await database.close()
    database = open_database(postgres_url)
    assert await database.write(lambda c: c.scalar(text("SHOW transaction_isolation"))) == "read committed"
    assert await database.read(lambda c: c.scalar(text("SHOW transaction_isolation"))) == "repeatable read"
    await database.close()
