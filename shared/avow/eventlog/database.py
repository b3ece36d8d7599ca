"""A service's database: everything is written once, as plain functions over a SQLAlchemy connection, and run here.

Promises: `write` runs a function in one transaction, committed when it returns and rolled back when it raises; `read`
runs it in one consistent snapshot. On SQLite one thread owns the only writing connection (WAL, full sync, BEGIN
IMMEDIATE); on PostgreSQL each call takes a connection of the pool.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from avow.eventlog.direct import Direct

T = TypeVar("T")
_PREPARING = 0x61766F77

AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError, asyncpg.PostgresError)
"""What a database that cannot be reached, or cannot take anything, raises; while connecting the driver's own errors."""


class Database(Protocol):
    """Runs functions over a connection."""

    dialect: str

    async def write(self, work: Callable[[Connection], T]) -> T: ...

    async def read(self, work: Callable[[Connection], T]) -> T: ...

    async def close(self) -> None: ...


def open_database(url: str) -> Database:
    """The database at `url` (`sqlite:///…` or `postgresql+asyncpg://…`); another kind is a ValueError."""
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return SqliteDatabase(url)
    if backend == "postgresql":
        return PostgresDatabase(url)
    raise ValueError(f"neither SQLite nor PostgreSQL: {backend}")


class SqliteDatabase:
    """One file, one writer thread, readers beside it."""

    dialect = "sqlite"

    def __init__(self, url: str) -> None:
        path = make_url(url).database
        in_memory = not path or path == ":memory:"
        if path and not in_memory:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._engine = sqlite_engine(url, begin="BEGIN IMMEDIATE", shared=in_memory)
        self._reader = self._engine if in_memory else sqlite_engine(url, begin="BEGIN")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._reading = self._writing if in_memory else ThreadPoolExecutor(2, thread_name_prefix="sqlite-reader")

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, _transact, self._engine, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, _transact, self._reader, work)

    async def close(self) -> None:
        for pool in (self._reading, self._writing):
            await asyncio.to_thread(pool.shutdown)
        self._reader.dispose()
        self._engine.dispose()


def sqlite_engine(url: str, begin: str, shared: bool = False) -> Engine:
    """A synchronous engine whose transactions start with `begin`: `BEGIN IMMEDIATE` writes, `BEGIN` only reads.

    `shared` keeps one connection for all threads.
    """
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": 30}
    engine = (
        create_engine(url, connect_args=arguments, poolclass=StaticPool)
        if shared
        else create_engine(url, connect_args=arguments)
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction control would begin late and deferred; ours is explicit.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if begin == "BEGIN":
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def alone(connection: Connection) -> None:
    """Hold back every other process that would prepare this database, until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PREPARING)))


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


class PostgresDatabase:
    """A pool of connections; reads are repeatable within one call."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        # Stated, because the head lock needs it: what is read behind the lock must be what was committed before it.
        self._engine: AsyncEngine = create_async_engine(
            url, pool_size=8, max_overflow=8, isolation_level="READ COMMITTED"
        )
        self.direct = Direct(self._engine)
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def write(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._read(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The pool kept a connection the server has closed since, such as by a restart; it kept no other.
            return await self._read(work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._reader.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self.direct.close()
        await self._engine.dispose()
