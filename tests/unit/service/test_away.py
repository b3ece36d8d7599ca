"""What a service says while its database is away."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import asyncpg
import httpx
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from avow.eventlog.database import SqliteDatabase
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.service.application import build_application
from avow.service.hosting import PortTaken, _listen
from avow.service.service import Blueprint, Service
from avow.web.catalogue import SHARED, Catalogue
from tests.kit.logs import START, TYPES

T = TypeVar("T")
TOKEN = "a-token-of-thirty-characters-ok"


class Failing(SqliteDatabase):
    """A database that can be taken away."""

    failure: Exception | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.failure is not None:
            raise self.failure
        return await super().write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        if self.failure is not None:
            raise self.failure
        return await super().read(work)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        return await self.read(work)


def a_service(database: Failing) -> Service:
    ports = Ports(SimulatedClock(START), seeded(1))
    return Service(Blueprint("pledge", TYPES, (), ()), database, ports, ("main",))


FAILURES = [
    OperationalError("SELECT 1", None, Exception("database is locked")),
    ConnectionRefusedError(111, "Connect call failed"),
    OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] Connect call failed"),
    TimeoutError(),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.TooManyConnectionsError("too many clients already"),
]


def of_sqlite(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("as SQLite says it")
    cause.sqlite_errorcode = code
    return OperationalError("INSERT", None, cause)


async def answer_to(failure: Exception) -> httpx.Response:
    """What somebody who reads is answered while the database fails like this."""
    database = Failing("sqlite://")
    service = a_service(database)
    app = build_application(service, (), Catalogue.load(SHARED), "pledge", TOKEN)
    await service.start()
    try:
        database.failure = failure
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get("/main/status", headers={"Authorization": f"Bearer {TOKEN}"})
    finally:
        database.failure = None
        await service.stop()


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
async def test_a_database_that_is_away_is_answered_with_come_again(failure: Exception) -> None:
    answer = await answer_to(failure)
    assert (answer.status_code, answer.json()["code"]) == (503, "log.unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("code", "said"),
    [(sqlite3.SQLITE_BUSY, (503, "log.busy")), (sqlite3.SQLITE_FULL, (507, "log.full"))],
)
async def test_a_database_that_is_held_or_full_is_said_to_be(code: int, said: tuple[int, str]) -> None:
    answer = await answer_to(of_sqlite(code))
    assert (answer.status_code, answer.json()["code"]) == said
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_statement_of_ours_that_is_wrong_is_our_failure() -> None:
    answer = await answer_to(of_sqlite(sqlite3.SQLITE_ERROR))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


async def test_health_says_that_the_database_is_away_and_that_it_is_back() -> None:
    database = Failing("sqlite://")
    service = a_service(database)

    async def until(status: str) -> None:
        async with asyncio.timeout(10):
            while service.health()["status"] != status:
                service.grown.raise_()
                await asyncio.sleep(0.01)

    await service.start()
    try:
        assert service.health() == {"status": "ok"}
        database.failure = FAILURES[0]
        await until("degraded")
        database.failure = None
        await until("ok")
    finally:
        await service.stop()


def test_a_port_is_taken_from_the_moment_it_is_asked_for() -> None:
    with _listen("pledge", "127.0.0.1", 0) as first, pytest.raises(PortTaken):
        _listen("evaluation", "127.0.0.1", first.getsockname()[1])
