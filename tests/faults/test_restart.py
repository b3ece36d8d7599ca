"""PostgreSQL goes down in mid-batch and comes back: nothing acknowledged is lost, and nobody has to lend a hand (I1).

Covers "database restart" of the fault table: the server stopped at once, killed, or one of its processes killed.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from sqlalchemy import text

from avow.eventlog.database import AWAY
from tests.faults.conftest import HASTY
from tests.kit.crowd import Caller, ask, ask_again, hold_to_account, units
from tests.kit.logs import Log, a_log
from tests.kit.postgres import PrivatePostgres


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    """A cluster that may be killed."""
    with PrivatePostgres() as cluster:
        yield cluster


@pytest.fixture
async def log(server: PrivatePostgres) -> AsyncIterator[Log]:
    async with a_log(server.create_database(), patience=HASTY) as opened:
        yield opened


def stop_at_once(server: PrivatePostgres, _: int) -> None:
    server.kill(signal.SIGQUIT)


def kill_the_server(server: PrivatePostgres, _: int) -> None:
    server.kill(signal.SIGKILL)


def kill_one_process(_: PrivatePostgres, backend: int) -> None:
    """The server then ends all the others and recovers by itself."""
    os.kill(backend, signal.SIGKILL)


async def callers_until(log: Log, over: asyncio.Event, begun: asyncio.Event) -> list[Caller]:
    """More callers than one batch holds, again and again until it is over; no two of them ask for the same."""
    answered: list[Caller] = []
    while not over.is_set():
        first = len(answered) + 1
        answered += await ask(log, units(first, first + 599))
        begun.set()
        await asyncio.sleep(0.01)
    return answered


async def back(log: Log) -> None:
    """The server answers again."""
    for _ in range(600):
        try:
            await log.head()
        except AWAY:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not come back")


@pytest.mark.parametrize("strike", [stop_at_once, kill_the_server, kill_one_process])
async def test_everybody_is_answered_and_what_was_acknowledged_stands_once(
    log: Log, server: PrivatePostgres, strike: Callable[[PrivatePostgres, int], None]
) -> None:
    backend = await log.database.write(lambda connection: connection.scalar(text("SELECT pg_backend_pid()")))
    over, begun = asyncio.Event(), asyncio.Event()
    callers = asyncio.create_task(callers_until(log, over, begun))
    await begun.wait()
    await asyncio.to_thread(strike, server, backend)
    if strike is not kill_one_process:
        await asyncio.sleep(0.2)
        server.revive()
    await back(log)
    over.set()
    answered = await callers
    await hold_to_account(log, answered)
    again = await ask_again(log, answered)
    await hold_to_account(log, again)
    assert await ask_again(log, again) == []
    assert len(await log.rows()) == 1 + len(answered)


async def test_a_restart_nobody_was_waiting_for_is_not_noticed(log: Log, server: PrivatePostgres) -> None:
    for item in units(1, 3):
        await log.append(item)
    await asyncio.to_thread(server.kill)
    server.revive()
    answered = await ask(log, units(4, 6))
    assert [type(caller.answer).__name__ for caller in answered] == ["Appended"] * 3
    await hold_to_account(log, answered)


async def test_while_the_server_is_down_it_is_said_at_once_and_for_certain(log: Log, server: PrivatePostgres) -> None:
    for item in units(1, 3):
        await log.append(item)
    await asyncio.to_thread(server.kill)
    answered = await ask(log, units(4, 6))
    assert [type(caller.answer).__name__ for caller in answered] == ["ConnectionRefusedError"] * 3
    server.revive()
    await hold_to_account(log, answered)
    await hold_to_account(log, await ask_again(log, answered))
    assert len(await log.rows()) == 7
