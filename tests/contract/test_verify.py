"""How verifying behaves: beside a running service, on a long log, and on a database that is out of order."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from avow.audit.rows import books as books_in
from avow.audit.verify import Side, Verdict, verify_pair, verify_service
from avow.eventlog.database import open_database
from avow.eventlog.records import Context, Proposed
from tests.kit.adversary import change, flip, remove, tamper
from tests.kit.logs import ORG, Log, Noted, a_unit
from tests.kit.two_books import TYPES, TwoBooks, Who, catch_up, found_in, say, take_in, two_books


@pytest.fixture
async def books(new_engine_url: Callable[[], str]) -> AsyncIterator[TwoBooks]:
    """The pair, on either engine."""
    async with two_books(new_engine_url(), new_engine_url()) as pair:
        yield pair


async def write_much(book: Log, count: int) -> None:
    """Many units, a private note behind each."""
    for n in range(100, 100 + count):
        unit = Proposed(f"unit/{n}", book.ports.new_id(), a_unit(n), Context(book.ports.clock.now()))
        note = Proposed(f"note/{n}", book.ports.new_id(), Noted(text="稿"), Context(book.ports.clock.now()))
        await book.append(unit, note)


class TestVerify:
    """The same on both engines."""

    async def test_it_may_run_while_both_services_write(self, books: TwoBooks) -> None:
        async def live() -> None:
            for n in range(20):
                await say(books.pledge, f"unit/{n + 50}", a_unit(n + 50))
                await take_in(books.evaluation, books.pledge, 5 + n, 6 + n)
                await catch_up(books.pledge)

        living = asyncio.create_task(live())
        verdicts = []
        while not living.done():
            verdicts.append(await books.verify_both())
        await living
        assert [verdict.findings for verdict in verdicts if not verdict.ok] == []
        assert (await books.verify_both()).sides[0].log.events == 30

    async def test_a_long_log_is_read_in_pages_and_the_bad_row_found_in_the_last(self, books: TwoBooks) -> None:
        await write_much(books.pledge, 1100)
        await take_in(books.evaluation, books.pledge, 5, 1106)
        for book in (books.pledge, books.evaluation):
            await catch_up(book)
        verdict = await books.verify_both()
        assert verdict.ok
        assert (verdict.sides[0].log.events, verdict.imports[1].imported) == (2210, 1106)
        await tamper(books.pledge.database, change(2209, data=flip), remove(2104))
        verdict = await books.verify_both()
        assert found_in(verdict.sides[0].log.findings) == [("position.missing", 2104), ("leaf.mismatch", 2209)]
        assert [(finding.code, finding.params["sequence"]) for finding in verdict.imports[1].findings] == [
            ("import.differs_from_source", 1106)
        ]

    async def test_of_very_many_faults_the_first_are_listed_and_all_counted(self, books: TwoBooks) -> None:
        await write_much(books.pledge, 15)
        at = [change(position, leaf=flip) for position in range(11, 41)]
        await tamper(books.pledge.database, at[0], *at[1:])
        log = (await books.verify(books.pledge)).log
        assert (len(log.findings), log.faults) == (20, 30)
        assert log.findings[0].position == 11

    async def test_progress_goes_forward_to_the_end(self, books: TwoBooks) -> None:
        told: list[tuple[int, int]] = []
        sides = [Side(book.database, [Who()], TYPES) for book in (books.pledge, books.evaluation)]
        await verify_pair(ORG, sides[0], sides[1], lambda done, of: told.append((done, of)))
        assert told == sorted(told)
        assert told[-1] == (54, 54)
        assert len(told) > 6

    async def test_an_organisation_without_a_book_is_said_to_have_none(self, books: TwoBooks) -> None:
        verdict = await verify_service(books.pledge.database, "nobody", [Who()], TYPES)
        assert [finding.code for finding in verdict.findings] == ["book.unknown"]
        assert not verdict.ok

    async def test_an_empty_database_is_a_finding(self, new_engine_url: Callable[[], str]) -> None:
        database = open_database(new_engine_url())
        try:
            verdict = await verify_service(database, ORG, [Who()], TYPES)
        finally:
            await database.close()
        found = [finding.code for finding in verdict.findings]
        assert found == ["database.unreadable", "projection.tables_missing"]

    async def test_books_are_found_by_their_events_too(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, lambda c: c.execute(text("DELETE FROM log_head")))
        assert await books.pledge.database.read(books_in) == [ORG]


async def file_of_a_closed_book(folder: Path) -> Path:
    """The pledge service's database file, nobody having it open."""
    async with two_books(f"sqlite:///{folder}/pledge.db", f"sqlite:///{folder}/evaluation.db"):
        return folder / "pledge.db"


def overwrite(file: Path, at: int, written: bytes) -> None:
    held = file.read_bytes()
    file.write_bytes(held[:at] + written + held[at + len(written) :])


async def verdict_on(file: Path, overwritten: tuple[int, bytes]) -> Verdict:
    """The verdict on a file in which other bytes stand at one place."""
    overwrite(file, *overwritten)
    database = open_database(f"sqlite:///{file}")
    try:
        return await verify_service(database, ORG, [Who()], TYPES)
    finally:
        await database.close()


def root_of(file: Path, name: str) -> int:
    """Where the first page of a table or an index begins."""
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT (rootpage - 1) * page_size FROM sqlite_master, pragma_page_size WHERE name = ?"
        at: int = connection.execute(query, [name]).fetchone()[0]
        return at


class TestFile:
    """Somebody, or a failing disk, writes into SQLite's file itself."""

    @pytest.mark.parametrize(("payload", "position"), [("初稿", 4), ("二稿", 9), ("review_round.opened.v1", 7)])
    async def test_one_byte_of_an_events_payload_is_found(self, tmp_path: Path, payload: str, position: int) -> None:
        file = await file_of_a_closed_book(tmp_path)
        held = file.read_bytes()
        assert held.count(payload.encode()) == 1
        at = held.index(payload.encode())
        verdict = await verdict_on(file, (at, bytes((held[at] ^ 1,))))
        assert found_in(verdict.findings) == [("leaf.mismatch", position)]

    async def test_a_text_that_is_none_is_a_finding_and_is_not_quoted(self, tmp_path: Path) -> None:
        file = await file_of_a_closed_book(tmp_path)
        held = file.read_bytes()
        verdict = await verdict_on(file, (held.rindex(b"note/1", 0, held.index("二稿".encode())), b"\xff"))
        assert found_in(verdict.findings)[0] == ("database.unreadable", 9)
        assert "ote/1" not in str(verdict.as_json())

    async def test_a_destroyed_page_is_a_finding_behind_the_last_row_that_can_be_read(self, tmp_path: Path) -> None:
        file = await file_of_a_closed_book(tmp_path)
        last = file.read_bytes().index('"name":"物理'.encode())
        verdict = await verdict_on(file, (last // 4096 * 4096, bytes(8)))
        code, position = found_in(verdict.findings)[0]
        assert code == "database.unreadable"
        assert position is not None
        assert 1 < position <= 10
        assert verdict.log.position == position - 1

    @pytest.mark.parametrize("name", ["event", "sqlite_autoindex_event_1", "log_head", "person_v1"])
    async def test_a_destroyed_table_is_a_finding(self, tmp_path: Path, name: str) -> None:
        file = await file_of_a_closed_book(tmp_path)
        verdict = await verdict_on(file, (root_of(file, name), b"\xff" * 8))
        assert not verdict.ok
        assert found_in(verdict.findings)[0][0] in ("database.unreadable", "database.damaged")

    async def test_an_index_that_does_not_fit_its_table_is_found_where_every_row_still_holds(
        self, tmp_path: Path
    ) -> None:
        file = await file_of_a_closed_book(tmp_path)
        page = root_of(file, "event_by_type")
        at = file.read_bytes().index(b"note.noted", page)
        assert at < page + 4096
        verdict = await verdict_on(file, (at, b"N"))
        assert {code for code, _ in found_in(verdict.findings)} == {"database.damaged"}
        assert verdict.log.position == 10

    async def test_a_file_that_is_no_database_is_a_finding(self, tmp_path: Path) -> None:
        verdict = await verdict_on(await file_of_a_closed_book(tmp_path), (0, b"nothing at all.."))
        assert {code for code, _ in found_in(verdict.findings)} == {"database.unreadable"}
