"""The connection is open and nothing comes back: every wait ends, and what was stopped holds nobody up for ever (I7).

Covers "blackholed" and "stopped process" of the fault table.
"""

import asyncio
import os
import signal

import pytest
from sqlalchemy import text

from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.database import Patience, open_database
from avow.eventlog.faults import Fault, Unanswered, fault_of
from tests.faults.conftest import HASTY
from tests.kit.crowd import ask, ask_again, hold_to_account, units
from tests.kit.logs import Log, a_log
from tests.kit.proxy import Proxy
from tests.kit.writer import writer


async def test_every_caller_is_answered_and_the_log_goes_on_when_the_hole_closes(
    far: Log, wire: Proxy, postgres_url: str
) -> None:
    for item in units(1, 3):
        await far.append(item)
    wire.mode = "blackhole"
    answered = await ask(far, units(4, 600))
    assert {type(caller.answer) for caller in answered} <= {OutcomeUnknown, TimeoutError}
    wire.mode = "ok"
    async with a_log(postgres_url, patience=HASTY) as near:
        await hold_to_account(near, answered)
        again = await ask_again(far, answered)
        await hold_to_account(near, again)
        assert len(again) == 597
        assert (await near.head()).position == 601


async def test_a_read_ends_too(far: Log, wire: Proxy) -> None:
    await far.head()
    wire.mode = "blackhole"
    async with asyncio.timeout(20):
        with pytest.raises(Unanswered):
            await far.head()
        with pytest.raises(TimeoutError):
            await far.head()
    wire.mode = "ok"
    assert (await far.head()).position == 1


async def test_closing_waits_for_no_goodbye(wire: Proxy) -> None:
    """However long an answer may take."""
    database = open_database(wire.url, Patience(answer=300))
    await asyncio.gather(*(database.read(lambda connection: connection.scalar(text("SELECT 1"))) for _ in range(3)))
    wire.mode = "blackhole"
    async with asyncio.timeout(30):
        await database.close()


async def test_a_process_stopped_with_the_lock_is_waited_for_and_then_passed_over(postgres_url: str) -> None:
    """On PostgreSQL the server ends its transaction; on SQLite nobody can (`Patience`)."""
    async with a_log(postgres_url, patience=HASTY) as log:
        with writer(postgres_url, "hold") as (process, says):
            assert await asyncio.to_thread(says.readline) == "holding\n"
            os.kill(process.pid, signal.SIGSTOP)
            answered = await ask(log, units(1, 3))
            assert {fault_of(caller.answer) for caller in answered if isinstance(caller.answer, Exception)} == {
                Fault.BUSY
            }
            await hold_to_account(log, answered)
            async with asyncio.timeout(30):
                while answered:
                    answered = await ask_again(log, answered)
        assert len(await log.rows()) == 4
