"""Somebody else holds the log, or writes it at the same time: waited for, then said, and over when they let go."""

import asyncio
import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from avow.eventlog.faults import Fault, fault_of
from tests.faults.conftest import HASTY
from tests.kit.crowd import ask, ask_again, hold_to_account, units
from tests.kit.logs import Log, a_log
from tests.kit.writer import writer


async def test_a_log_held_by_another_process_is_busy_and_recovers_when_it_dies(log: Log) -> None:
    with writer(log.url, "hold") as (process, says):
        assert await asyncio.to_thread(says.readline) == "holding\n"
        answered = await ask(log, units(1, 300))
        assert {fault_of(caller.answer) for caller in answered if isinstance(caller.answer, Exception)} == {Fault.BUSY}
        assert (await log.head()).position == 1
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    await hold_to_account(log, answered)
    await hold_to_account(log, await ask_again(log, answered))
    assert (await log.head()).position == 301


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_file_locked_by_any_program_is_busy_until_it_lets_go(tmp_path: Path, how: str) -> None:
    file = tmp_path / "log.db"
    async with a_log(f"sqlite:///{file}", patience=HASTY) as log:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute(f"BEGIN {how}")
        answered = await ask(log, units(1, 3))
        assert [caller.answer.args[0] for caller in answered if isinstance(caller.answer, Exception)] == [
            "(sqlite3.OperationalError) database is locked"
        ] * 3
        assert (await log.head()).position == 1
        other.execute("ROLLBACK")
        other.close()
        await hold_to_account(log, answered)
        await hold_to_account(log, await ask_again(log, answered))
        assert (await log.head()).position == 4


async def test_two_processes_write_one_log_at_once(log: Log) -> None:
    with writer(log.url, "append", "60") as (_, says):
        assert await asyncio.to_thread(says.readline) == "ready\n"
        answered = []
        for n in range(60):
            answered += await ask(log, units(n, n))
        theirs = json.loads(await asyncio.to_thread(says.readline))
    await hold_to_account(log, answered)
    ours = [caller.answer.position for caller in answered if not isinstance(caller.answer, BaseException)]
    assert sorted([*ours, *theirs]) == list(range(2, 122))
    assert (await log.head()).position == 121
