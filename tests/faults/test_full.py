"""The disk is full: callers are told so, the log is unharmed and can be read, and it goes on when there is room (I5).

Covers "disk full" of the fault table. A real disk that is full takes the right to mount one; a page limit of SQLite's
and a server that says it is full stand in for it everywhere.
"""

import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from avow.eventlog.faults import Fault, fault_of
from tests.faults.conftest import HASTY
from tests.kit.crowd import Caller, ask, ask_again, hold_to_account
from tests.kit.logs import Log, Noted, a_log, proposed
from tests.kit.postgres import PrivatePostgres

LONG = "长" * 2000
_UNLIMITED = 2**31 - 2
_SAY_FULL = (
    """
    CREATE FUNCTION say_full() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$
    """,
    "CREATE TRIGGER no_room BEFORE INSERT ON event EXECUTE FUNCTION say_full()",
)


@dataclass(frozen=True)
class Disk:
    """A log on a disk that can be filled up and emptied again."""

    log: Log
    fill: Callable[[], object]
    empty: Callable[[], object]


@contextmanager
def small(place: Path) -> Iterator[None]:
    """A file system of two megabytes at this place, where this process may mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only who may mount a file system can fill a real one; the stand-ins run everywhere")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill_up(place: Path) -> None:
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as ballast:
        for _ in range(2048):
            ballast.write(bytes(4096))


@asynccontextmanager
async def page_limit(request: pytest.FixtureRequest) -> AsyncIterator[Disk]:
    file = request.getfixturevalue("tmp_path") / "log.db"

    async def limit(pages: int) -> None:
        await log.database.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}"))

    async with a_log(f"sqlite:///{file}", patience=HASTY) as log:
        yield Disk(log, partial(limit, 1), partial(limit, _UNLIMITED))


@asynccontextmanager
async def small_disk(request: pytest.FixtureRequest) -> AsyncIterator[Disk]:
    place = request.getfixturevalue("tmp_path") / "small"
    with small(place):
        async with a_log(f"sqlite:///{place}/log.db", patience=HASTY) as log:
            yield Disk(log, partial(fill_up, place), (place / "ballast").unlink)


@asynccontextmanager
async def server_that_says_so(request: pytest.FixtureRequest) -> AsyncIterator[Disk]:
    async def fill() -> None:
        await log.database.write(run(*_SAY_FULL))

    async def empty() -> None:
        await log.database.write(run("DROP TRIGGER no_room ON event"))

    async with a_log(request.getfixturevalue("postgres_url"), patience=HASTY) as log:
        yield Disk(log, fill, empty)


@asynccontextmanager
async def small_tablespace(_: pytest.FixtureRequest) -> AsyncIterator[Disk]:
    with PrivatePostgres() as server:
        assert server.folder is not None
        place = server.folder / "small"
        with small(place):
            (place / "space").mkdir()
            shutil.chown(place / "space", server.folder.owner())
            async with a_log(server.create_database(), patience=HASTY) as log:
                alone = create_async_engine(log.url, isolation_level="AUTOCOMMIT")
                async with alone.connect() as connection:
                    await connection.execute(text(f"CREATE TABLESPACE small LOCATION '{place}/space'"))
                await alone.dispose()
                await log.database.write(run("ALTER TABLE event SET TABLESPACE small"))
                yield Disk(log, partial(fill_up, place), (place / "ballast").unlink)
            server.stop()


def run(*statements: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    return work


KINDS = [page_limit, small_disk, server_that_says_so, small_tablespace]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
async def disk(request: pytest.FixtureRequest) -> AsyncIterator[Disk]:
    async with request.param(request) as opened:
        yield opened


async def until_full(log: Log) -> list[Caller]:
    """Callers three at a time until there is no room."""
    answered: list[Caller] = []
    for n in range(0, 1500, 3):
        answered += await ask(log, [proposed(Noted(text=LONG), f"note/{n + k}") for k in range(3)])
        if any(isinstance(caller.answer, Exception) for caller in answered):
            return answered
    raise AssertionError("the disk does not fill up")


async def test_a_full_disk_is_said_and_harms_nothing_and_writing_resumes_when_there_is_room(disk: Disk) -> None:
    await done(disk.fill)
    answered = await until_full(disk.log)
    refused = [caller for caller in answered if isinstance(caller.answer, Exception)]
    assert [fault_of(caller.answer) for caller in refused if isinstance(caller.answer, Exception)] == [Fault.FULL] * 3
    await hold_to_account(disk.log, answered)
    still = await ask_again(disk.log, refused)
    assert len(still) == 3
    await hold_to_account(disk.log, still)
    await done(disk.empty)
    again = await ask_again(disk.log, refused)
    assert [type(caller.answer).__name__ for caller in again] == ["Appended"] * 3
    await hold_to_account(disk.log, again)
    assert len(await disk.log.rows()) == 1 + len(answered)


async def done(step: Callable[[], object]) -> None:
    outcome = step()
    if isinstance(outcome, Awaitable):
        await outcome
