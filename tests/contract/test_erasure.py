"""Erasing a person and writing that they were erased is one thing, in the log that says so and in one that hears it."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from msgspec import structs
from sqlalchemy import Connection, Table, delete, insert, make_url, select

from avow.contracts.leaf import chain, leaf, leaf_values
from avow.contracts.organisation import PersonErased
from avow.eventlog.batch import Conflict
from avow.eventlog.erasure import erase, erase_again
from avow.eventlog.keys import keep_copies, keys_of
from avow.eventlog.records import Import, Proposed
from avow.eventlog.seals import ERASED, open_seals
from avow.eventlog.tables import erased_subject, seal_key, seal_key_copy
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.kernel.seal import Seal
from tests.kit.logs import ORG, START, TYPES, Log, a_log, a_person, a_unit, identity, imports, proposed

NAME, OTHER_NAME = "贺启明", "祁安然"
PERSON, OTHER = f"person/{identity(1)}", f"person/{identity(2)}"
KNOWN: tuple[type[Event], ...] = (*TYPES, PersonErased)


def erased(n: int = 1) -> Proposed:
    said = PersonErased(person_id=identity(n), requested_by=identity(8), confirmed_by=None)
    return proposed(said, f"person/{identity(n)}")


async def name_in(log: Log, position: int) -> object:
    record = log.types.decode((await log.records())[position - 1])
    seal = getattr(record, "name")  # noqa: B009 - of whichever event it is
    assert isinstance(seal, Seal)
    return (await log.database.read(lambda c: open_seals(c, ORG, [seal])))[seal]


async def subjects_in(log: Log, table: Table) -> list[str]:
    query = select(table.c.subject).where(table.c.org == ORG).order_by(table.c.subject)
    return await log.database.read(lambda c: list(c.scalars(query)))


async def key_of(log: Log, subject: str = PERSON) -> bytes:
    return (await log.database.read(lambda c: keys_of(c, ORG, [subject])))[subject]


async def require_sound(log: Log) -> None:
    """Every leaf and the whole chain hold."""
    previous = bytes(32)
    for row in await log.rows():
        assert row.leaf == leaf(row.salt, leaf_values(row._asdict()))
        assert row.hash == (previous := chain(previous, row.leaf))


@dataclass
class Broken(Exception):
    """What a test breaks a transaction with."""

    at: str


@pytest.fixture
async def log(new_engine_url: Callable[[], str]) -> AsyncIterator[Log]:
    """A log with two persons, at positions 2 and 3."""
    async with a_log(new_engine_url(), types=KNOWN) as opened:
        await opened.append(proposed(a_person(1, NAME)), proposed(a_person(2, OTHER_NAME)))
        yield opened


@pytest.fixture
async def importer(new_engine_url: Callable[[], str], log: Log) -> AsyncIterator[Log]:
    """Another service's log that took all of it in, at the same positions but one, and has copies of both keys."""
    ports = Ports(SimulatedClock(START), seeded(7))
    async with a_log(new_engine_url(), ports, service="evaluation", types=KNOWN) as opened:
        await opened.append(*imports(await log.envelopes()))
        keys = await log.database.read(lambda c: keys_of(c, ORG, [PERSON, OTHER]))
        await opened.database.write(lambda c: keep_copies(c, ORG, keys))
        yield opened


class TestErasure:
    async def test_the_event_destroys_the_key_and_nothing_else(self, log: Log) -> None:
        await log.append(erased())
        assert [await name_in(log, position) for position in (2, 3)] == [ERASED, OTHER_NAME]
        assert await subjects_in(log, seal_key) == [OTHER]
        assert await subjects_in(log, erased_subject) == [PERSON]
        await require_sound(log)

    async def test_an_imported_one_destroys_the_importers_copy(self, log: Log, importer: Log) -> None:
        assert [await name_in(importer, position) for position in (3, 4)] == [NAME, OTHER_NAME]
        await log.append(erased())
        await importer.append(*imports((await log.envelopes())[3:]))
        assert [await name_in(importer, position) for position in (3, 4)] == [ERASED, OTHER_NAME]
        assert await subjects_in(importer, seal_key_copy) == [OTHER]
        await require_sound(importer)

    async def test_a_log_that_hears_all_of_it_only_then_hears_it_whole(
        self, log: Log, new_engine_url: Callable[[], str]
    ) -> None:
        await log.append(erased())
        ports = Ports(SimulatedClock(START), seeded(8))
        async with a_log(new_engine_url(), ports, service="evaluation", types=KNOWN) as late:
            wires = await log.envelopes()
            assert all(wire.leaf_holds() for wire in wires)
            await late.append(*imports(wires))
            assert [await name_in(late, position) for position in (3, 4)] == [ERASED, None]
            await require_sound(late)

    async def test_it_is_believed_only_of_the_service_that_keeps_the_register(
        self, log: Log, new_engine_url: Callable[[], str]
    ) -> None:
        ports = Ports(SimulatedClock(START), seeded(9))
        async with a_log(new_engine_url(), ports, service="evaluation", types=KNOWN) as other:
            await other.append(erased())
            await log.append(*imports(await other.envelopes()))
        assert await name_in(log, 2) == NAME
        await log.database.write(erase_again)
        assert await name_in(log, 2) == NAME

    async def test_a_later_schema_of_the_event_erases_all_the_same(self, log: Log, importer: Log) -> None:
        await log.append(erased())
        (wire,) = imports((await log.envelopes())[3:])
        later = Import(wire.line, structs.replace(wire.envelope, schema=2))
        await importer.append(later)
        assert await name_in(importer, 3) == ERASED

    @pytest.mark.parametrize("at", ["key", "commit"])
    async def test_neither_is_there_without_the_other(
        self, log: Log, importer: Log, at: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await log.append(erased(2))
        heard = imports((await log.envelopes())[3:])

        def break_off(connection: Connection, org: str, items: Iterator[Proposed | Import]) -> None:
            if at == "commit":
                erase(connection, org, items)
            raise Broken(at)

        for book, item in ((log, erased()), (importer, heard[0])):
            before, keys = await book.rows(), await subjects_in(book, seal_key if book is log else seal_key_copy)
            gone = await subjects_in(book, erased_subject)
            with monkeypatch.context() as broken:
                broken.setattr("avow.eventlog.append.erase", break_off)
                with pytest.raises(Broken):
                    await book.append(item)
            assert await book.rows() == before
            assert await subjects_in(book, seal_key if book is log else seal_key_copy) == keys
            assert await subjects_in(book, erased_subject) == gone
            await book.append(item)
        assert await name_in(log, 2) == ERASED

    async def test_one_that_comes_too_late_destroys_nothing(self, log: Log) -> None:
        with pytest.raises(Conflict):
            await log.append(erased(), expect={PERSON: 5})
        assert await name_in(log, 2) == NAME

    async def test_it_does_so_behind_a_remembered_head_too(self, log: Log) -> None:
        for n in range(3):
            await log.append(proposed(a_unit(n)))
        await log.append(erased())
        assert await subjects_in(log, erased_subject) == [PERSON]

    async def test_in_one_batch_with_many_others_each_has_its_effect(self, log: Log) -> None:
        await asyncio.gather(*(log.append(proposed(a_person(n))) for n in range(20, 40)), log.append(erased()))
        assert await subjects_in(log, erased_subject) == [PERSON]
        assert len(await subjects_in(log, seal_key)) == 21

    async def test_restored_keys_are_destroyed_again_before_anything_opens(self, log: Log, importer: Log) -> None:
        kept = await key_of(log)
        await log.append(erased())
        await importer.append(*imports((await log.envelopes())[3:]))
        row = {"org": ORG, "subject": PERSON, "key": kept}

        def restore(connection: Connection) -> None:
            connection.execute(delete(erased_subject))
            connection.execute(insert(seal_key), [row | {"created_at": START}])
            connection.execute(insert(seal_key_copy), [row])

        for book, position in ((log, 2), (importer, 3)):
            await book.database.write(restore)
            assert await name_in(book, position) == NAME
            await book.database.write(erase_again)
            assert await name_in(book, position) == ERASED
            assert PERSON not in [*await subjects_in(book, seal_key), *await subjects_in(book, seal_key_copy)]
            assert await subjects_in(book, erased_subject) == [PERSON]

    async def test_the_files_hold_neither_the_key_nor_the_name(self, log: Log) -> None:
        kept, other = await key_of(log), await key_of(log, OTHER)
        assert kept in await _files(log)
        await log.append(erased())
        stored = await _files(log)
        assert [each for each in (kept, kept.hex().encode(), b64encode(kept), NAME.encode()) if each in stored] == []
        assert other in stored

    async def test_while_a_reader_stands_in_the_way_the_next_write_does_it(self, tmp_path: Path) -> None:
        async with a_log(f"sqlite:///{tmp_path}/read.db", types=KNOWN) as log:
            await log.append(proposed(a_person(1, NAME)))
            kept = await key_of(log)
            reading, done = asyncio.Event(), asyncio.Event()
            loop = asyncio.get_running_loop()

            def hold(connection: Connection) -> None:
                connection.execute(select(seal_key)).all()
                loop.call_soon_threadsafe(reading.set)
                asyncio.run_coroutine_threadsafe(done.wait(), loop).result()

            held = asyncio.create_task(log.database.read(hold))
            await reading.wait()
            await log.append(erased())
            assert kept in await _files(log)
            done.set()
            await held
            await log.append(proposed(a_person(3)))
            assert kept not in await _files(log)


async def _files(log: Log) -> bytes:
    """What the database keeps on disk: of SQLite every file, of PostgreSQL those of the tables and their indexes."""
    url = make_url(log.url)
    if log.database.dialect == "sqlite":
        file = Path(url.database or "")
        return _read(file.parent.glob(f"{file.name}*"))
    connection = await asyncpg.connect(host=url.host, port=url.port, user=url.username, database=url.database)
    try:
        await connection.execute("CHECKPOINT")
        of_ours = "relnamespace = 'public'::regnamespace OR relnamespace = 'pg_toast'::regnamespace"
        paths = await connection.fetch(
            f"SELECT current_setting('data_directory') || '/' || pg_relation_filepath(oid) AS path FROM pg_class "
            f"WHERE ({of_ours}) AND pg_relation_filepath(oid) IS NOT NULL"
        )
        return _read(Path(row["path"]) for row in paths)
    finally:
        await connection.close()


def _read(files: Iterable[Path]) -> bytes:
    return b"".join(file.read_bytes() for file in files)
