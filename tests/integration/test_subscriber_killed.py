"""A subscriber that is killed again and again, in the middle of a batch: its table holds each event once."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.kit.logs import ORG, Log, a_log
from tests.unit.bus.serving import say, serving

PATIENCE = 120.0
KILLS = 6
# Work that takes its time, so that it is in the middle of a batch nearly always.
WORKER = """
import asyncio, sqlite3, sys, time
from avow.subscriber import FileCheckpoint, SqliteCheckpoint, subscribe
from avow.subscriber.environment import sources
from avow.subscriber.following import Pace

db = sqlite3.connect("mine.db", timeout=30)
checkpoint = SqliteCheckpoint(db, "mine") if sys.argv[1] == "sqlite" else FileCheckpoint("place.json")
subscription = subscribe(*sources(), checkpoint=checkpoint, pace=Pace(page=50))

@subscription.on()
def note(received):
    time.sleep(0.002)
    db.execute("INSERT INTO seen VALUES (?)", (received.sequence,))
    if sys.argv[1] == "file":
        db.commit()

asyncio.run(subscription.run())
"""


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    async with a_log(f"sqlite:///{tmp_path}/source.db") as log:
        yield log


async def seen_after_kills(log: Log, folder: Path, kept: str) -> list[int]:
    """The sequences in the subscriber's table, in the order they were noted, once the last is there."""
    dice = Random(1)
    with closing(sqlite3.connect(folder / "mine.db")) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE seen (sequence INTEGER)")

        def seen() -> list[int]:
            return [sequence for (sequence,) in db.execute("SELECT sequence FROM seen ORDER BY rowid")]

        async with serving(log) as url, asyncio.timeout(PATIENCE):
            told = {"SUBSCRIBER_TOKEN": "token", "SUBSCRIBER_ORGS": ORG, "SUBSCRIBER_URLS": url}
            reached = 0
            for turn in range(KILLS + 1):
                await say(log, *range(200 * turn, 200 * turn + 200))
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", WORKER, kept, cwd=folder, env={**os.environ, **told}
                )
                enough = reached + 60 if turn < KILLS else (await log.head()).sequence
                while max(seen(), default=0) < enough:
                    assert process.returncode is None
                    await asyncio.sleep(0.01)
                await asyncio.sleep(dice.uniform(0, 0.1))
                process.send_signal(signal.SIGKILL)
                await process.wait()
                reached = max(seen())
            return seen()


async def test_with_a_checkpoint_in_its_database_each_event_is_there_once(log: Log, tmp_path: Path) -> None:
    seen = await seen_after_kills(log, tmp_path, "sqlite")
    assert seen == list(range(1, 200 * (KILLS + 1) + 2))


async def test_with_a_checkpoint_in_a_file_each_event_is_there_at_least_once(log: Log, tmp_path: Path) -> None:
    seen = await seen_after_kills(log, tmp_path, "file")
    assert sorted(set(seen)) == list(range(1, 200 * (KILLS + 1) + 2))
    assert len(seen) > len(set(seen)), "what was done since the last move comes again, or this test kills too late"
