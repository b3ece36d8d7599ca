"""A backup of a log restores into either engine as it was, or says why not and writes nothing."""

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from avow.audit import rows
from avow.audit.log import verify_log
from avow.backup.format import COLUMNS, MANIFEST, Book, read_manifest
from avow.backup.problem import Unfit
from avow.eventlog import reading
from avow.eventlog.append import open_book
from avow.eventlog.database import open_database
from avow.eventlog.tables import event, log_head, seal_key
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.adversary import tamper
from tests.kit.backups import altered, back_up, every_row, in_a_thread, read_from, restore_into
from tests.kit.logs import ORG, START, Log, Noted, a_log, a_person, a_unit, imports, proposed

ORGS = (ORG, "other")


@pytest.fixture
def elsewhere(engine_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes an empty database on the other engine."""
    if engine_url.startswith("sqlite"):
        create: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        return create
    return lambda: f"sqlite:///{tmp_path}/elsewhere.db"


@pytest.fixture
async def log(engine_url: str, tmp_path: Path) -> Any:
    """Two books with public, private, sealed and imported events."""
    async with a_log(engine_url, orgs=ORGS) as log:
        source = Ports(SimulatedClock(START), seeded(9))
        async with a_log(f"sqlite:///{tmp_path}/source.db", source, orgs=ORGS, service="evaluation") as other:
            for org in ORGS:
                await log.append(proposed(a_unit(1)), proposed(a_person(2, "钟若岚")), org=org)
                await log.append(*(proposed(Noted(text=f'稿 {n} \u2028 \\ "')) for n in range(5)), org=org)
                await other.append(*(proposed(a_unit(n)) for n in range(10, 14)), org=org)
                await log.append(*imports(await other.envelopes(org)), org=org)
        yield log


async def refused(code: str, books: list[Book], folder: Path, url: str) -> Unfit:
    """Restoring is refused with this code and leaves no book behind."""
    with pytest.raises(Unfit) as unfit:
        await restore_into(url, books, folder)
    assert unfit.value.code == code
    database = open_database(url)
    try:
        if await database.read(lambda c: c.dialect.has_table(c, "event")):
            assert await database.read(lambda c: (rows.books(c), reading.organisations(c))) == ([], [])
    finally:
        await database.close()
    return unfit.value


async def test_a_log_restored_on_the_other_engine_is_the_same_and_goes_on(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str], new_engine_url: Callable[[], str]
) -> None:
    folder = tmp_path / "backup"
    books = await back_up(log.database, folder)
    assert [(book.service, book.org, book.position) for book in books] == [("pledge", org, 13) for org in ORGS]
    for url in (elsewhere(), new_engine_url()):
        assert await restore_into(url, books, folder) == books
        async with a_log(url, Ports(SimulatedClock(START), seeded(5)), orgs=ORGS) as restored:
            for org in ORGS:
                before = await log.database.read(partial(every_row, org=org))
                assert await restored.database.read(partial(every_row, org=org)) == before
                assert await restored.head(org) == await log.head(org)
                (appended,) = await restored.append(proposed(a_unit(7)), org=org)
                assert (appended.position, appended.sequence) == (14, 4)
                verdict = await restored.database.read(partial(verify_log, org=org))
                assert verdict.ok, verdict.findings


def execute(statement: str, connection: Connection) -> None:
    connection.execute(text(statement))


async def test_a_restored_log_is_as_append_only_as_any(log: Log, tmp_path: Path, elsewhere: Callable[[], str]) -> None:
    books = await back_up(log.database, tmp_path / "backup")
    url = elsewhere()
    await restore_into(url, books, tmp_path / "backup")
    database = open_database(url)
    try:
        for statement in ("UPDATE event SET actor = 'x'", "DELETE FROM event"):
            with pytest.raises(DBAPIError, match="append-only"):
                await database.write(partial(execute, statement))
    finally:
        await database.close()


async def test_what_is_written_meanwhile_is_not_in_it_and_does_it_no_harm(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 4)

    async def go_on() -> None:
        async with a_log(log.url, Ports(SimulatedClock(START), seeded(77)), orgs=ORGS) as beside:
            for org in ORGS:
                await beside.append(proposed(a_unit(99)), org=org)

    def told(_: int) -> None:
        in_a_thread(lambda: asyncio.run(go_on()))

    books = await back_up(log.database, tmp_path / "backup", told=told)
    assert [book.position for book in books] == [13, 13]
    assert (await log.head()).position > 13
    assert await restore_into(elsewhere(), books, tmp_path / "backup") == books


async def test_no_key_is_in_it(log: Log, tmp_path: Path) -> None:
    keys = await log.database.read(lambda c: list(c.scalars(select(seal_key.c.key))))
    assert len(keys) == 2
    for book in await back_up(log.database, tmp_path / "backup"):
        stored = (tmp_path / "backup" / book.file).read_bytes()
        plain = gzip.decompress(stored) + book.model_dump_json().encode()
        for key in keys:
            for form in (key, key.hex().encode(), b64encode(key)):
                assert form not in stored + plain
                assert form.rstrip(b"=") not in plain


async def test_a_file_that_is_cut_or_flipped_anywhere_is_refused(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str]
) -> None:
    folder, url = tmp_path / "backup", elsewhere()
    books = await back_up(log.database, folder)
    path = folder / books[1].file
    whole = path.read_bytes()
    deeds = {"cut": whole[:-20], "short": whole[:30], "empty": b"", "long": whole + b"x", "twice": whole + whole}
    for place in (3, 12, len(whole) // 2, len(whole) - 6):
        deeds[f"flipped at {place}"] = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
    for name, content in deeds.items():
        path.write_bytes(content)
        with pytest.raises(Unfit) as unfit:
            await restore_into(url, books, folder)
        assert unfit.value.code in ("backup.damaged", "backup.differs", "backup.unsound_file"), name
        assert unfit.value.params["file"] == books[1].file
        # The first book of the service was sound; neither is there.
        assert not await read_from(url, lambda c: c.dialect.has_table(c, "event") and rows.books(c))
    path.unlink()
    await refused("backup.damaged", books, folder, url)
    path.write_bytes(whole)
    assert await restore_into(url, books, folder) == books


async def test_rows_altered_by_somebody_who_mends_the_checksum_are_refused(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str]
) -> None:
    folder, url = tmp_path / "backup", elsewhere()
    column = {name: place for place, name in enumerate(COLUMNS)}

    def put(position: int, name: str, value: object) -> Callable[[list[list[Any]]], None]:
        return lambda rows: rows[position - 1].__setitem__(column[name], value)

    deeds: dict[str, tuple[Callable[[list[list[Any]]], object], str, str | None]] = {
        "another text": (put(4, "data", '{"text":"x"}'), "backup.unsound_file", "leaf.mismatch"),
        "another kind of value": (put(4, "version", "1"), "backup.unsound_file", "row.malformed"),
        "another organisation": (put(4, "org", "other"), "backup.differs", None),
        "a row too few": (lambda rows: rows.pop(), "backup.unsound_file", "tail.missing"),
        "a hole": (lambda rows: rows.pop(5), "backup.unsound_file", "position.missing"),
        "a row twice": (lambda rows: rows.insert(5, rows[5]), "backup.unsound_file", "position.unexpected"),
        "a column too few": (lambda rows: rows[5].pop(), "backup.damaged", None),
        "no rows": (lambda rows: rows.clear(), "backup.unsound_file", "tail.missing"),
    }
    for name, (deed, code, finding) in deeds.items():
        first, second = await back_up(log.database, folder / name.replace(" ", "-"))
        forged = altered(first, folder / name.replace(" ", "-"), deed)
        unfit = await refused(code, [forged, second], folder / name.replace(" ", "-"), url)
        assert unfit.params.get("finding") == finding, name


@pytest.mark.parametrize("name", ["position", "sequence", "hash", "log_id", "clock", "recorded_at"])
async def test_a_manifest_that_says_another_end_is_refused(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str], name: str
) -> None:
    books = await back_up(log.database, tmp_path / "backup")
    other: dict[str, object] = {
        "position": 12, "sequence": 2, "hash": "00" * 32, "log_id": "00000000-0000-4000-8000-000000000007",
        "clock": "real", "recorded_at": "2030-01-01T00:00:00.000000Z",
    }  # fmt: skip
    forged = [books[0].model_copy(update={name: other[name]}), books[1]]
    await refused("backup.unsound_file", forged, tmp_path / "backup", elsewhere())


async def test_a_book_that_is_there_is_never_touched_and_the_missing_one_is_completed(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str]
) -> None:
    folder, url = tmp_path / "backup", elsewhere()
    books = await back_up(log.database, folder)
    assert await restore_into(url, books[:1], folder) == books[:1]
    assert await restore_into(url, books, folder) == books[1:]
    assert await restore_into(url, books, folder) == []
    async with a_log(url, Ports(SimulatedClock(START), seeded(5)), orgs=ORGS) as restored:
        await restored.append(proposed(a_unit(7)))
        before = await restored.rows()
        with pytest.raises(Unfit, match=r"restore\.book_exists"):
            await restore_into(url, books, folder)
        assert await restored.rows() == before


async def test_a_book_of_the_other_kind_of_clock_is_not_put_beside(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str]
) -> None:
    books = await back_up(log.database, tmp_path / "backup")
    url = elsewhere()
    async with a_log(url, Ports(), orgs=("third",)) as here:
        with pytest.raises(Unfit, match=r"restore\.other_clock"):
            await restore_into(url, books, tmp_path / "backup")
        assert await here.database.read(reading.organisations) == ["third"]


async def test_a_log_that_does_not_verify_is_not_backed_up(log: Log, tmp_path: Path) -> None:
    spoilt = update(event).where(event.c.org == "other", event.c.position == 6).values(actor="x")
    await tamper(log.database, lambda c: c.execute(spoilt))
    with pytest.raises(Unfit) as unfit:
        await back_up(log.database, tmp_path / "backup")
    assert unfit.value.params == {"service": "pledge", "org": "other", "finding": "leaf.mismatch", "position": 6}
    await tamper(log.database, lambda c: c.execute(update(log_head).values(service="evaluation")))
    with pytest.raises(Unfit):
        await back_up(log.database, tmp_path / "again")


async def test_another_services_log_is_not_taken_for_this_ones(log: Log, tmp_path: Path) -> None:
    with pytest.raises(Unfit, match=r"backup\.unsound"):
        await back_up(log.database, tmp_path / "backup", service="evaluation")


def test_a_folder_without_a_manifest_of_this_form_is_no_backup(tmp_path: Path) -> None:
    for content in (None, "", "{}", '{"format": 2, "made_at": "2026-01-01T00:00:00Z", "avow": "9", "books": []}'):
        if content is not None:
            (tmp_path / MANIFEST).write_text(content)
        with pytest.raises(Unfit, match=r"backup\.not_a_backup"):
            read_manifest(tmp_path)


async def test_a_manifest_cannot_name_a_file_elsewhere(log: Log, tmp_path: Path) -> None:
    (book, _) = await back_up(log.database, tmp_path / "backup")
    said = {"format": 1, "made_at": "2026-01-01T00:00:00Z", "avow": "1", "columns": COLUMNS}
    for name in ("../secret", "/etc/passwd", ".."):
        book = book.model_copy(update={"file": name})
        manifest = {**said, "books": [book.model_dump()]}
        (tmp_path / MANIFEST).write_text(json.dumps(manifest))
        with pytest.raises(Unfit, match=r"backup\.not_a_backup"):
            read_manifest(tmp_path)


async def test_opening_a_book_after_a_restore_opens_none(
    log: Log, tmp_path: Path, elsewhere: Callable[[], str]
) -> None:
    books = await back_up(log.database, tmp_path / "backup")
    url = elsewhere()
    await restore_into(url, books, tmp_path / "backup")
    database = open_database(url)
    try:
        ports = Ports(SimulatedClock(START), seeded(5))
        head = await database.write(lambda c: open_book(c, ORG, "pledge", ports))
    finally:
        await database.close()
    assert str(head.log_id) == books[0].log_id
