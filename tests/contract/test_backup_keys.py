"""Keys are backed up by themselves and come back into their own book, except those that were to be forgotten."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select

from avow.backup import keys as module
from avow.backup.keys import Key, Keyring, KeysManifest, Restored, keys_in, read_keys, restore_keys, write_keys
from avow.backup.problem import Unfit
from avow.contracts.organisation import PersonErased
from avow.eventlog.erasure import erasures
from avow.eventlog.keys import keys_of
from avow.eventlog.tables import seal_key
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.backups import back_up, restore_into
from tests.kit.logs import ORG, START, TYPES, Log, a_log, a_person, identity, imports, proposed

ORGS = (ORG, "other")
SUBJECTS = [f"person/{identity(n)}" for n in (1, 2, 3)]


ALL: tuple[type[Event], ...] = (*TYPES, PersonErased)


def erased(n: int) -> PersonErased:
    return PersonErased(person_id=identity(n), requested_by=None, confirmed_by=identity(9))


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """Two books with the keys of the same three persons in each."""
    async with a_log(engine_url, orgs=ORGS, types=ALL) as log:
        for org in ORGS:
            await log.append(*(proposed(a_person(n)) for n in (1, 2, 3)), org=org)
        yield log


def saved(path: Path, rings: list[Keyring], keys: list[Key]) -> Path:
    """A backup of these keys."""
    write_keys(path, KeysManifest(made_at=datetime(2026, 1, 1, tzinfo=UTC), avow="1", books=tuple(rings)), keys)
    return path


async def save(log: Log, path: Path) -> Path:
    return saved(path, *await log.database.read(partial(keys_in, service="pledge")))


async def put_back(log: Log, path: Path, *logs: Log) -> Restored:
    """Restore a backup of keys, knowing of every erasure in `log` and in `logs`."""
    manifest, keys = read_keys(path)
    gone = {one for each in (log, *logs) for one in await each.database.read(lambda c: list(erasures(c)))}
    work = partial(restore_keys, rings=manifest.books, keys=keys, erased=gone)
    return await log.database.write(work)


async def held(log: Log, org: str = ORG) -> dict[str, bytes]:
    return await log.database.read(partial(keys_of, org=org, subjects=SUBJECTS))


def lose_the_keys(connection: Connection) -> None:
    connection.execute(delete(seal_key))


async def test_keys_come_back_as_they_were_page_by_page(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    path = await save(log, tmp_path / "keys")
    before = await log.database.read(lambda c: c.execute(select(seal_key).order_by(*seal_key.primary_key)).all())
    assert len(before) == 6
    await log.database.write(lose_the_keys)
    assert await put_back(log, path) == Restored(restored=6)
    after = await log.database.read(lambda c: c.execute(select(seal_key).order_by(*seal_key.primary_key)).all())
    assert after == before
    assert await put_back(log, path) == Restored(present=6)


async def test_keys_follow_their_log_to_another_database(
    log: Log, tmp_path: Path, new_engine_url: Callable[[], str]
) -> None:
    path = await save(log, tmp_path / "keys")
    books = await back_up(log.database, tmp_path / "backup")
    url = new_engine_url()
    with pytest.raises(Unfit, match=r"keys\.no_book"):
        async with a_log(url, orgs=()) as empty:
            await put_back(empty, path)
    await restore_into(url, books, tmp_path / "backup")
    async with a_log(url, Ports(SimulatedClock(START), seeded(3)), orgs=ORGS) as restored:
        assert await put_back(restored, path) == Restored(restored=6)
        for org in ORGS:
            assert await held(restored, org) == await held(log, org)


async def test_an_erased_persons_key_never_comes_back(log: Log, tmp_path: Path) -> None:
    path = await save(log, tmp_path / "keys")
    await log.append(proposed(erased(2)))
    assert await put_back(log, path) == Restored(present=5, erased=1)
    await log.database.write(lose_the_keys)
    assert await put_back(log, path) == Restored(restored=5, erased=1)
    assert sorted(await held(log)) == [SUBJECTS[0], SUBJECTS[2]]
    assert sorted(await held(log, "other")) == SUBJECTS, "the other organisation has not erased its person 2"


async def test_an_erasure_that_only_the_other_services_copy_knows_counts(
    log: Log, tmp_path: Path, new_engine_url: Callable[[], str]
) -> None:
    path = await save(log, tmp_path / "keys")
    books = await back_up(log.database, tmp_path / "backup")
    await log.append(proposed(erased(3)))
    older = new_engine_url()
    await restore_into(older, books, tmp_path / "backup")
    ports = [Ports(SimulatedClock(START), seeded(seed)) for seed in (3, 4)]
    async with (
        a_log(new_engine_url(), ports[0], service="evaluation", types=ALL) as importer,
        a_log(older, ports[1], orgs=ORGS, types=ALL) as restored,
    ):
        await importer.append(*imports(await log.envelopes()))
        assert await put_back(restored, path, importer) == Restored(restored=5, erased=1)
        assert SUBJECTS[2] not in await held(restored)


async def test_a_key_made_since_is_kept_and_counted(log: Log, tmp_path: Path) -> None:
    path = await save(log, tmp_path / "keys")
    await log.database.write(lose_the_keys)
    await log.append(proposed(a_person(1)))
    since = await held(log)
    assert list(since) == SUBJECTS[:1]
    assert await put_back(log, path) == Restored(restored=5, superseded=1)
    assert (await held(log))[SUBJECTS[0]] == since[SUBJECTS[0]]


async def test_keys_of_a_book_that_was_opened_anew_are_refused(
    log: Log, tmp_path: Path, new_engine_url: Callable[[], str]
) -> None:
    path = await save(log, tmp_path / "keys")
    async with a_log(new_engine_url(), Ports(SimulatedClock(START), seeded(8)), orgs=ORGS) as anew:
        with pytest.raises(Unfit, match=r"keys\.no_book"):
            await put_back(anew, path)
        assert await held(anew) == {}


async def test_a_file_that_is_not_whole_is_refused_and_no_key_is_said(log: Log, tmp_path: Path) -> None:
    path = await save(log, tmp_path / "keys")
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    secret = str(Key.model_validate_json(lines[1]).model_dump(mode="json")["key"]).strip()
    for name, content in {
        "cut": whole[:-40],
        "a line too few": b"".join([*lines[:2], *lines[3:]]),
        "two lines changed places": b"".join([lines[0], lines[2], lines[1], *lines[3:]]),
        "without its end": b"".join(lines[:-1]),
        "empty": b"",
        "no manifest": b"".join(lines[1:]),
        "a spoilt line": whole.replace(b'"subject"', b'"object"', 1),
    }.items():
        path.write_bytes(content)
        with pytest.raises(Unfit, match=r"keys\.not_a_backup") as unfit:
            read_keys(path)
        assert secret not in unfit.value.message().en, name
    path.unlink()
    with pytest.raises(Unfit, match=r"keys\.not_a_backup"):
        read_keys(path)


async def test_a_service_without_keys_has_an_empty_backup(new_engine_url: Callable[[], str], tmp_path: Path) -> None:
    async with a_log(new_engine_url()) as log:
        path = await save(log, tmp_path / "keys")
        assert read_keys(path)[1] == []
        assert await put_back(log, path) == Restored()
