"""Scrubbing: that the database's files forget what was deleted, which no engine does by itself.

Promises: after a transaction that asked for it, SQLite has overwritten the bytes (`secure_delete`) and emptied its
write-ahead log, at the latest with the first write that no reader stands in the way of; PostgreSQL has written the
tables anew (tests/contract/test_erasure.py). What was committed stands, whatever comes of this.
Limit: PostgreSQL's write-ahead log keeps the bytes until it is recycled, an archive of it for ever.
"""

import sqlite3
from typing import Any

import asyncpg
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_OWED = "avow_scrub"
_TRIED = "avow_scrub_tried"

log = structlog.get_logger(__name__)


def scrub_after_commit(connection: Connection, *tables: str) -> None:
    """Once the transaction is committed, have the database forget the bytes of what was deleted from these tables."""
    connection.info[_OWED] = tuple(sorted({*connection.info.get(_OWED, ()), *tables}))


def empty_the_wal(connection: Connection) -> None:
    """Do what is owed, on SQLite; while a reader stands in the way it stays owed, and only the first try waits for it.

    A long reader, such as `avow verify`, would else make every write wait.
    """
    if not connection.info.get(_OWED):
        return
    driver: Any = connection.connection.driver_connection
    try:
        (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
        driver.execute(f"PRAGMA busy_timeout={0 if connection.info.get(_TRIED) else 1000}")
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        driver.execute(f"PRAGMA busy_timeout={patience:d}")
    except sqlite3.Error as error:
        log.warning("keys.not_scrubbed", raised=type(error).__name__)
        return
    connection.info[_TRIED] = bool(busy)
    if not busy:
        del connection.info[_OWED]


def take_owed(connection: AsyncConnection) -> tuple[str, ...]:
    """The tables that are to be written anew once the transaction is committed."""
    tables: tuple[str, ...] = connection.info.pop(_OWED, ())
    return tables


async def write_anew(engine: AsyncEngine, tables: tuple[str, ...]) -> None:
    """Write tables of PostgreSQL's anew, without what was deleted; they are small, and locked meanwhile."""
    try:
        async with engine.connect() as connection:
            each = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                await each.exec_driver_sql(f"VACUUM FULL {table}")
    except (DBAPIError, PoolTimeout, OSError, asyncpg.PostgresError) as error:
        log.warning("keys.not_scrubbed", raised=type(error).__name__)
