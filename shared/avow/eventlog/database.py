"""A service's database: everything is written once, as plain functions over a SQLAlchemy connection, and run here.

Promises: `write` runs a function in one transaction, committed when it returns and rolled back when it raises; `read`
runs it in one consistent snapshot, `glance` without one. On SQLite one thread owns the only writing connection (WAL,
full sync, BEGIN IMMEDIATE); on PostgreSQL each call takes a connection of the pool. Every wait ends (`Patience`), and a
connection that is dead is replaced at the next call (tests/faults).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from avow.eventlog.direct import Direct
from avow.eventlog.faults import Unanswered, in_doubt
from avow.eventlog.scrub import empty_the_wal, take_owed, write_anew

T = TypeVar("T")
Tell = Callable[[str | None], Awaitable[None]]
_PREPARING = 0x61766F77
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    # Pages of the indexes are written again and again: the longer they wait in the write-ahead log, the fewer writes.
    "wal_autocheckpoint=10000",
)

AWAY = (DBAPIError, PoolTimeout, OSError, asyncpg.PostgresError)
"""What a database that cannot be reached, or cannot take anything, raises; `fault_of` tells it from other failures."""


@dataclass(frozen=True)
class Patience:
    """How many seconds a database is waited for, at each of the places where it can keep one waiting."""

    connect: float = 5
    lock: float = 10
    """For what another transaction holds: the head row, or the SQLite file."""
    answer: float = 20
    """For PostgreSQL's answer to one statement; what is in doubt then is asked for once more."""
    idle: float = 60
    """PostgreSQL ends a transaction whose process has said nothing for so long, such as one that was stopped."""


PATIENT = Patience()


class Database(Protocol):
    """Runs functions over a connection."""

    dialect: str

    async def write(self, work: Callable[[Connection], T]) -> T: ...

    async def read(self, work: Callable[[Connection], T]) -> T: ...

    async def glance(self, work: Callable[[Connection], T]) -> T: ...

    async def close(self) -> None: ...


def open_database(url: str, patience: Patience = PATIENT) -> Database:
    """The database at `url` (`sqlite:///…` or `postgresql+asyncpg://…`); another kind is a ValueError."""
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return SqliteDatabase(url, patience)
    if backend == "postgresql":
        return PostgresDatabase(url, patience)
    raise ValueError(f"neither SQLite nor PostgreSQL: {backend}")


class SqliteDatabase:
    """One file, one writer thread, readers beside it."""

    dialect = "sqlite"

    def __init__(self, url: str, patience: Patience = PATIENT) -> None:
        path = make_url(url).database
        in_memory = not path or path == ":memory:"
        if path and not in_memory:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._engine = sqlite_engine(url, "BEGIN IMMEDIATE", in_memory, patience.lock)
        self._reader = self._engine if in_memory else sqlite_engine(url, "BEGIN", wait=patience.lock)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._reading = self._writing if in_memory else ThreadPoolExecutor(2, thread_name_prefix="sqlite-reader")

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, _transact, self._engine, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, _transact, self._reader, work)

    glance = read

    async def close(self) -> None:
        for pool in (self._reading, self._writing):
            await asyncio.to_thread(pool.shutdown)
        self._reader.dispose()
        self._engine.dispose()


def sqlite_engine(url: str, begin: str, shared: bool = False, wait: float = PATIENT.lock) -> Engine:
    """A synchronous engine whose transactions start with `begin`: `BEGIN IMMEDIATE` writes, `BEGIN` only reads.

    `shared` keeps one connection for all threads; `wait` is for whoever holds the file, in seconds.
    """
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": wait}
    engine = (
        create_engine(url, connect_args=arguments, poolclass=StaticPool)
        if shared
        else create_engine(url, connect_args=arguments)
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction control would begin late and deferred; ours is explicit.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
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
    with engine.connect() as connection:
        with connection.begin():
            result = work(connection)
        empty_the_wal(connection)
        return result


class _Brief(asyncpg.Connection):
    """A connection that does not wait long for a silent server's goodbye."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the driver's signature
        await super().close(timeout=timeout or 1)


class PostgresDatabase:
    """A pool of connections; reads are repeatable within one call."""

    dialect = "postgresql"

    def __init__(self, url: str, patience: Patience = PATIENT) -> None:
        # Stated, because the head lock needs it: what is read behind the lock must be what was committed before it.
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=12,
            max_overflow=0,
            pool_timeout=patience.answer,
            isolation_level="READ COMMITTED",
            connect_args={
                "timeout": patience.connect,
                "command_timeout": patience.answer,
                "connection_class": _Brief,
                "server_settings": {
                    "lock_timeout": f"{patience.lock * 1000:.0f}",
                    "idle_in_transaction_session_timeout": f"{patience.idle * 1000:.0f}",
                },
            },
        )
        event.listen(self._engine.sync_engine, "checkout", _pass_over_the_dead)
        event.listen(self._engine.sync_engine, "handle_error", _give_up)
        self.direct = Direct(self._engine)
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._glancer = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            result = await connection.run_sync(work)
            tables = take_owed(connection)
        if tables:
            await write_anew(self._engine, tables)
        return result

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await _twice(self._read, work)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        """Read without a common snapshot, each query as the log is at that moment: two round trips less."""
        return await _twice(self._glance, work)

    @asynccontextmanager
    async def listening(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[Tell]:
        """Call `heard` with whatever is said on a channel, and give what says something on it, until the block ends.

        Whoever says nothing (None) only asks whether the connection stands; it raises DisconnectionError if not.
        """
        async with self._glancer.connect() as connection:
            driver: asyncpg.Connection | None = (await connection.get_raw_connection()).driver_connection
            assert driver is not None

            def pass_on(_connection: object, _pid: int, _channel: str, said: object) -> None:
                heard(str(said))

            async def tell(said: str | None) -> None:
                if driver.is_closed():
                    raise DisconnectionError
                if said is not None:
                    await driver.execute("SELECT pg_notify($1, $2)", channel, said)

            await driver.add_listener(channel, pass_on)
            try:
                yield tell
            finally:
                if not driver.is_closed():
                    await driver.remove_listener(channel, pass_on)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._reader.begin() as connection:
            return await connection.run_sync(work)

    async def _glance(self, work: Callable[[Connection], T]) -> T:
        async with self._glancer.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self.direct.close()
        await self._engine.dispose()


async def _twice(read: Callable[[Callable[[Connection], T]], Awaitable[T]], work: Callable[[Connection], T]) -> T:
    """Read once more where the server closed the connection, such as for a restart."""
    try:
        return await read(work)
    except DBAPIError as error:
        if not in_doubt(error):
            raise
        # The pool has dropped all that are as old.
        return await read(work)


def _pass_over_the_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Let the pool replace a connection that is known to be closed, before anything is sent: no round trip is spent."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _give_up(context: ExceptionContext) -> None:
    """Drop a connection that did not answer in time, and those beside it: each is waiting for what may never come."""
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        context.is_disconnect = True
        raise Unanswered("no answer from the database in time")
