"""What SQLite stores without complaint, and the log never writes: seen as it stands, never forgiven, never a crash."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from avow.audit.rows import EventRow
from avow.contracts.leaf import LEAF_COLUMNS
from tests.kit.adversary import forge, tamper
from tests.kit.two_books import TwoBooks, found_in, two_books


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[TwoBooks]:
    async with two_books(f"sqlite:///{tmp_path}/pledge.db", f"sqlite:///{tmp_path}/evaluation.db") as pair:
        yield pair


def run(statement: str, **values: object) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement), values)


def without_constraints(connection: Connection) -> None:
    """The table as somebody leaves it who has copied it."""
    connection.execute(text("CREATE TABLE copy AS SELECT * FROM event"))
    connection.execute(text("DROP TABLE event"))
    connection.execute(text("ALTER TABLE copy RENAME TO event"))


def test_the_columns_of_the_leaf_come_first_and_in_their_order() -> None:
    assert EventRow._fields[: len(LEAF_COLUMNS)] == LEAF_COLUMNS


async def first_after(books: TwoBooks, statement: str) -> tuple[str, int | None]:
    await tamper(books.pledge.database, lambda connection: connection.execute(text(statement)))
    return found_in((await books.verify(books.pledge)).findings)[0]


async def test_a_time_written_in_another_way_is_seen_though_it_is_the_same_time(books: TwoBooks) -> None:
    statement = "UPDATE event SET occurred_at = replace(occurred_at, 'T', 't') WHERE position = 5"
    assert await first_after(books, statement) == ("row.malformed", 5)


async def test_an_id_in_capitals_is_seen_though_it_is_the_same_id(books: TwoBooks) -> None:
    statement = "UPDATE event SET event_id = upper(event_id) WHERE position = 5"
    assert await first_after(books, statement) == ("leaf.mismatch", 5)


async def test_bytes_stored_as_text_are_seen_though_they_read_the_same(books: TwoBooks) -> None:
    statement = "UPDATE event SET data = CAST(data AS TEXT) WHERE position = 5"
    assert await first_after(books, statement) == ("row.malformed", 5)


async def test_a_head_row_without_numbers_is_seen(books: TwoBooks) -> None:
    assert await first_after(books, "UPDATE log_head SET position = 'ten'") == ("head.mismatch", 10)


async def test_a_projection_with_values_of_no_kind_is_seen(books: TwoBooks) -> None:
    assert await first_after(books, "UPDATE person_v1_b1 SET since = 'yesterday'") == ("projection.unreadable", 10)


async def test_a_row_put_before_the_first_is_seen(books: TwoBooks) -> None:
    def before(connection: Connection) -> None:
        without_constraints(connection)
        connection.execute(text("CREATE TEMP TABLE one AS SELECT * FROM event WHERE position = 4"))
        connection.execute(text("UPDATE one SET position = -3"))
        connection.execute(text("INSERT INTO event SELECT * FROM one"))

    await tamper(books.pledge.database, before, forge)
    assert found_in((await books.verify(books.pledge)).findings)[0] == ("position.unexpected", -3)


async def test_a_position_that_is_there_twice_is_seen(books: TwoBooks) -> None:
    twice = text("INSERT INTO event SELECT * FROM event WHERE position = 4")
    await tamper(books.pledge.database, without_constraints, lambda connection: connection.execute(twice))
    assert found_in((await books.verify(books.pledge)).findings)[0] == ("position.unexpected", 4)


async def test_a_second_row_that_hides_behind_the_end_of_a_page_is_counted(
    books: TwoBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avow.audit.rows.PAGE", 4)
    twice = run("INSERT INTO event SELECT * FROM event WHERE position = 4")
    await tamper(books.pledge.database, without_constraints, twice)
    assert found_in((await books.verify(books.pledge)).findings)[0] == ("position.repeated", None)


@pytest.mark.parametrize("column", EventRow._fields)
async def test_no_junk_in_any_column_passes_or_breaks_the_audit(books: TwoBooks, column: str) -> None:
    """Own and imported rows, at both ends of an import, guards and constraints out of the way."""
    for book in (books.pledge, books.evaluation):
        await tamper(book.database, without_constraints, run("CREATE TABLE kept AS SELECT * FROM event"))
    for position in (5, 6):
        for junk in (None, "x", b"\xff", -1, 1.5, 2**62):
            write = run(f"UPDATE event SET {column} = :junk WHERE position = :at", junk=junk, at=position)
            for book in (books.pledge, books.evaluation):
                await tamper(book.database, write)
            verdict = await books.verify_both()
            found_in(verdict.findings)
            altered = [await book.database.read(differs) for book in (books.pledge, books.evaluation)]
            assert [side.ok for side in verdict.sides] == [not one for one in altered], (position, junk)
            for book in (books.pledge, books.evaluation):
                restore = run("DELETE FROM event"), run("INSERT INTO event SELECT * FROM kept")
                await tamper(book.database, *restore)


def differs(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT * FROM event EXCEPT SELECT * FROM kept")).all())
