"""The private PostgreSQL answers, gives each caller a database of its own, and leaves nothing behind."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.kit.postgres import PostgresFailed, PrivatePostgres

ROOT = Path(__file__).parents[2]


async def _ask(url: str, statement: str) -> object:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def test_a_fresh_database_answers_in_utf8_and_utc(postgres_url: str) -> None:
    assert await _ask(postgres_url, "SELECT 6 * 7") == 42
    assert await _ask(postgres_url, "SHOW server_encoding") == "UTF8"
    assert await _ask(postgres_url, "SHOW timezone") == "UTC"


async def test_what_one_database_holds_another_does_not(new_postgres_url: Callable[[], str]) -> None:
    first, second = new_postgres_url(), new_postgres_url()
    await _ask(first, "CREATE TABLE only_here (n int)")
    assert await _ask(first, "SELECT to_regclass('only_here') IS NOT NULL") is True
    assert await _ask(second, "SELECT to_regclass('only_here') IS NOT NULL") is False


async def test_a_dropped_database_goes_with_its_open_connections(postgres: PrivatePostgres) -> None:
    url, other = postgres.create_database(), postgres.create_database()
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        postgres.drop_database(url)
        name = url.rpartition("/")[2]
        assert await _ask(other, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 0
        await connection.invalidate()
    await engine.dispose()
    postgres.drop_database(other)


def test_a_stopped_cluster_leaves_no_process_no_port_and_no_folder() -> None:
    cluster = PrivatePostgres()
    cluster.start()
    pid, port, folder = cluster.pid, cluster.port, cluster.folder
    os.kill(pid, 0)
    assert folder is not None
    assert folder.is_dir()
    cluster.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))
    assert not folder.exists()
    cluster.stop()


def test_a_cluster_stops_when_the_work_inside_it_fails() -> None:
    pids: list[int] = []

    def work() -> None:
        with PrivatePostgres() as cluster:
            pids.append(cluster.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_cluster_that_was_not_started_makes_no_database() -> None:
    with pytest.raises(PostgresFailed):
        PrivatePostgres().create_database()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="only Linux tells a child that its parent died")
def test_a_cluster_does_not_outlive_a_killed_test_run() -> None:
    script = (
        "import time; from tests.kit.postgres import PrivatePostgres; cluster = PrivatePostgres(); cluster.start();"
        "print(cluster.pid, cluster.folder, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        run.kill()
    try:
        for _ in range(200):
            if not Path("/proc", pid).exists():
                break
            time.sleep(0.05)
        assert not Path("/proc", pid).exists()
    finally:
        shutil.rmtree(folder)
