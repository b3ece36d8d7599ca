"""The database port of one life: takes time, fails, is away, breaks off, and is where a process may end.

A crash finds a transaction not begun, ready to commit (it is rolled back), or committed with nobody to hear of it.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from avow.eventlog.statements import insert_behind
from tests.simulation.store import Store
from tests.simulation.weather import Weather
from tests.simulation.world import Life, World

T = TypeVar("T")


def away(reason: str = "away", code: int | None = None, broken_off: bool = False) -> OperationalError:
    """What a database that cannot answer raises."""
    cause = sqlite3.OperationalError(reason)
    if code is not None:
        cause.sqlite_errorcode = code
    return OperationalError(None, None, cause, connection_invalidated=broken_off)


class _RolledBack(Exception):
    """The connection was gone before the commit."""


def _roll_back() -> None:
    raise _RolledBack


class Machine:
    """Where a service's database runs: whether it is away, or full."""

    def __init__(self) -> None:
        self.away_until = 0.0
        self.full = False


class SimulatedDatabase:
    """A `Database` over a store, for one life."""

    dialect = "sqlite"

    def __init__(self, world: World, life: Life, store: Store, machine: Machine, weather: Weather) -> None:
        self._world, self._life, self._store = world, life, store
        self._machine, self._weather = machine, weather
        self._chance: Random = world.chance(f"database of {life.name}")

    async def read(self, work: Callable[[Connection], T]) -> T:
        await self._begin("read")
        result = self._store.read(work)
        await self._answer("read")
        return result

    glance = read

    async def write(self, work: Callable[[Connection], T]) -> T:
        await self._begin("write")
        if self._machine.full and self._world.loop.time() < self._machine.away_until:
            self._world.seen["database full"] += 1
            raise away("database or disk is full", sqlite3.SQLITE_FULL)
        if self._weather.strikes(self._chance, self._weather.doubt):
            await self._break_off(work)
        result = self._store.write(work, partial(self._world.touch, self._life, "database: commit"))
        await self._answer("write")
        return result

    async def close(self) -> None:
        """The store outlives its processes."""

    async def _begin(self, what: str) -> None:
        self._world.touch(self._life, f"database: {what}")
        await self._world.wait(self._life, self._delay())
        if self._world.loop.time() < self._machine.away_until and not self._machine.full:
            self._world.seen["database away"] += 1
            raise away()

    async def _answer(self, what: str) -> None:
        await self._world.wait(self._life, self._delay())
        self._world.touch(self._life, f"database: {what} answered")

    def _delay(self) -> float:
        return self._chance.uniform(0.05, 2.0) if self._chance.random() < self._weather.slow else 0.001

    async def _break_off(self, work: Callable[[Connection], T]) -> None:
        """Commit or not, at once or, where only a condition on the log holds it, later; say that nobody knows."""
        fate = self._chance.choice(("lost", "committed", "late"))
        if fate == "late" and not (isinstance(work, partial) and work.func is insert_behind):
            fate = "lost"
        self._world.seen[f"write broken off, {fate}"] += 1
        self._world.note(self._life.name, f"database: write broken off, {fate}")
        if fate == "committed":
            self._store.write(work)
        elif fate == "lost":
            with suppress(_RolledBack):
                self._store.write(work, _roll_back)
        elif fate == "late":
            self._world.loop.call_later(self._chance.uniform(0.0, 3.0), self._commit_late, work)
        await self._world.wait(self._life, self._chance.choice((0.01, 0.01, 0.01, 0.2, 0.2, 1.0, 1.0, 20.0)))
        raise away("broken off", broken_off=True)

    def _commit_late(self, work: Callable[[Connection], object]) -> None:
        came: object
        try:
            came = self._store.write(work)
        except DBAPIError as error:
            came = type(error.orig).__name__
        self._world.note("database", f"the write that was broken off takes effect now: {came}")
