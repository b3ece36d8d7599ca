"""A caller who leaves neither loses nor doubles what was asked for, and a log that closes answers who waits (I1)."""

import asyncio

import pytest

from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.records import Appended
from tests.faults.conftest import HASTY
from tests.kit.crowd import ask, hold_to_account, units
from tests.kit.logs import Log, a_log
from tests.kit.proxy import Proxy


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 20])
async def test_whoever_leaves_and_asks_again_has_it_once(log: Log, turns: int) -> None:
    items = units(1, 5)
    callers = [asyncio.create_task(log.append(item)) for item in items]
    for _ in range(turns):
        await asyncio.sleep(0)
    for caller in callers[:4]:
        caller.cancel()
    left = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(left[4], list)
    answered = await ask(log, items)
    await hold_to_account(log, answered)
    assert all(isinstance(caller.answer, Appended) for caller in answered)
    assert (await log.head()).position == 6


async def test_closing_a_log_whose_database_is_silent_answers_everybody(wire: Proxy, postgres_url: str) -> None:
    async with a_log(wire.url, patience=HASTY) as far:
        for item in units(1, 3):
            await far.append(item)
        wire.mode = "blackhole"
        callers = asyncio.create_task(ask(far, units(4, 300)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await far.appender.settled()
        answered = await callers
    assert {type(caller.answer) for caller in answered} <= {OutcomeUnknown, TimeoutError}
    async with a_log(postgres_url) as near:
        await hold_to_account(near, answered)
