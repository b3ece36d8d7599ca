"""A connection of the appender's own, for the one statement that is a transaction by itself (PostgreSQL).

It comes from the engine's pool and stays with the appender, and what it runs goes to the driver as it is: that spares
two round trips and half the work of a small batch (benchmarks/log.py). Promises: an error that leaves it unclear
whether the statement took effect says so as the engine's errors do (`connection_invalidated`), and the connection is
not used again (tests/contract/test_database.py).
"""

from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Direct:
    """Runs single statements, each a transaction of its own; for one task at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._held: AsyncConnection | None = None
        self._beneath: asyncpg.Connection | None = None

    async def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """What a query gives. Raises as `count` does."""
        driver = await self._driver()
        try:
            found = await driver.fetch(statement, *arguments)
        except Exception as error:
            raise await self._translated(error, driver) from error
        return found

    async def count(self, statement: str, *arguments: Any) -> int:
        """How many rows a statement wrote.

        Raises IntegrityError where a constraint refuses it, else DBAPIError; while connecting the driver's own.
        """
        driver = await self._driver()
        try:
            done: str = await driver.execute(statement, *arguments)
        except Exception as error:
            raise await self._translated(error, driver) from error
        return int(done.rpartition(" ")[2])

    async def close(self) -> None:
        """Give the connection back."""
        if self._held is not None:
            held, self._held, self._beneath = self._held, None, None
            await held.close()

    async def _driver(self) -> asyncpg.Connection:
        if self._held is not None and self._beneath is not None:
            if not self._beneath.is_closed():
                return self._beneath
            # Known before anything is sent, so nothing is in doubt.
            await self._drop(self._held)
        self._held = await self._engine.connect()
        driver: asyncpg.Connection | None = (await self._held.get_raw_connection()).driver_connection
        assert driver is not None
        self._beneath = driver
        return driver

    async def _drop(self, held: AsyncConnection, error: Exception | None = None) -> None:
        self._held = self._beneath = None
        await held.invalidate(error)
        await held.close()

    async def _translated(self, error: Exception, driver: asyncpg.Connection) -> DBAPIError:
        if isinstance(error, asyncpg.IntegrityConstraintViolationError):
            return IntegrityError("", None, error)
        lost = driver.is_closed() or isinstance(error, TimeoutError)
        if lost and self._held is not None:
            await self._drop(self._held, error)
        return DBAPIError("", None, error, connection_invalidated=lost)
