"""The bare driver: the same bytes into a table with one key, as many rows a statement as there are callers waiting.

No version is checked, nothing is numbered, hashed or chained, so it shows what the machine and the driver could give.
"""

import asyncio
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import uvloop
from sqlalchemy import make_url

from benchmarks.workload import UNIT, Noted, fields, summed

AGGREGATE = "note/aggregate"
Row = tuple[str, bytes]


def _row(stream: str, caller: str, n: int) -> Row:
    return stream, Noted(**fields(caller, n)).model_dump_json().encode()


class _Raw(ABC):
    name: str
    _runner: asyncio.Runner

    def fill(self, upto: int) -> None:
        """Bring the table to so many rows."""
        rows = [_row(f"note/{n // 10}", "fill", n) for n in range(1000)]
        for _ in range(0, upto - self._count(), 1000):
            self._runner.run(self._insert(rows))

    def aggregate(self, events: int) -> None:
        """Write the rows of one stream."""
        self._runner.run(self._insert([_row(AGGREGATE, "a", n) for n in range(events)]))

    def append(self, callers: int, seconds: float) -> float:
        """Rows a second that so many concurrent callers get committed, as many a statement as wait."""
        return self._runner.run(_gathered(self._insert, callers, seconds))

    def load(self, times: int) -> float:
        """Streams a second, read and parsed."""
        begin = time.perf_counter()
        for _ in range(times):
            assert sum(orjson.loads(data)["amount"] for data in self._select_stream())
        return times / (time.perf_counter() - begin)

    def replay(self, events: int) -> float:
        """Rows a second read in pages, parsed and summed."""
        totals: dict[str, int] = {}
        begin, after, seen = time.perf_counter(), 0, 0
        while seen < events:
            page = self._select_page(after)
            for _, data in page:
                note = orjson.loads(data)
                summed(totals, note["unit_id"], note["amount"])
            after, seen = page[-1][0], seen + len(page)
        assert totals[UNIT]
        return seen / (time.perf_counter() - begin)

    @abstractmethod
    def _count(self) -> int: ...

    @abstractmethod
    async def _insert(self, rows: Sequence[Row]) -> None: ...

    @abstractmethod
    def _select_stream(self) -> Sequence[bytes]: ...

    @abstractmethod
    def _select_page(self, after: int) -> Sequence[tuple[int, bytes]]: ...


class RawPostgres(_Raw):
    name = "asyncpg"

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._connection: asyncpg.Connection = self._runner.run(asyncpg.connect(url.replace("+asyncpg", "")))
        self._run(
            "CREATE TABLE IF NOT EXISTS raw"
            " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text, data bytea)"
        )
        self._run("CREATE INDEX IF NOT EXISTS raw_stream ON raw (stream, id)")

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()

    def _run(self, statement: str, *arguments: Any) -> Any:
        return self._runner.run(self._connection.fetch(statement, *arguments))

    def _count(self) -> int:
        return int(self._run("SELECT count(*) FROM raw")[0][0])

    async def _insert(self, rows: Sequence[Row]) -> None:
        streams, data = map(list, zip(*rows, strict=True))
        statement = "INSERT INTO raw (stream, data) SELECT * FROM unnest($1::text[], $2::bytea[])"
        await self._connection.execute(statement, streams, data)

    def _select_stream(self) -> Sequence[bytes]:
        return [row[0] for row in self._run("SELECT data FROM raw WHERE stream = $1 ORDER BY id", AGGREGATE)]

    def _select_page(self, after: int) -> Sequence[tuple[int, bytes]]:
        found: Sequence[tuple[int, bytes]] = self._run(
            "SELECT id, data FROM raw WHERE id > $1 ORDER BY id LIMIT 2000", after
        )
        return found


class RawSqlite(_Raw):
    name = "sqlite3"

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._thread = ThreadPoolExecutor(1)
        self._connection = sqlite3.connect(str(make_url(url).database), check_same_thread=False, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, stream TEXT, data BLOB)",
            "CREATE INDEX IF NOT EXISTS raw_stream ON raw (stream, id)",
        ):
            self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()
        self._thread.shutdown()
        self._runner.close()

    def _count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM raw").fetchone()[0])

    async def _insert(self, rows: Sequence[Row]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._insert_now, rows)

    def _insert_now(self, rows: Sequence[Row]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO raw (stream, data) VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    def _select_stream(self) -> Sequence[bytes]:
        return [
            row[0]
            for row in self._connection.execute("SELECT data FROM raw WHERE stream = ? ORDER BY id", (AGGREGATE,))
        ]

    def _select_page(self, after: int) -> Sequence[tuple[int, bytes]]:
        return self._connection.execute(
            "SELECT id, data FROM raw WHERE id > ? ORDER BY id LIMIT 2000", (after,)
        ).fetchall()


async def _gathered(insert: Callable[[Sequence[Row]], Awaitable[None]], callers: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    waiting: list[tuple[Row, asyncio.Future[None]]] = []
    draining: asyncio.Task[None] | None = None
    done = 0
    base = uuid4().hex[:8]
    begin = time.perf_counter()
    until = begin + seconds

    async def drain() -> None:
        while waiting:
            batch = waiting[:256]
            del waiting[:256]
            await insert([row for row, _ in batch])
            for _, future in batch:
                future.set_result(None)

    async def caller(k: int) -> None:
        nonlocal done, draining
        stream, n = f"note/{base}-{k}", 0
        while time.perf_counter() < until:
            future = loop.create_future()
            waiting.append((_row(stream, stream, n), future))
            if draining is None or draining.done():
                draining = loop.create_task(drain())
            await future
            n += 1
            done += 1

    await asyncio.gather(*(caller(k) for k in range(callers)))
    return done / (time.perf_counter() - begin)
