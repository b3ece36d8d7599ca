"""This project's projections over a filled log, and what a driver does with the same rows made beforehand."""

import asyncio
import sqlite3
import time
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import Connection, make_url

from avow.eventlog.append import read_head
from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes
from avow.projections.asof import Asked, cut
from avow.projections.builds import Build, State, begin, create_views, drop
from avow.projections.projection import Projection, Row, key, number, on, table, text
from avow.projections.projector import FAR, project
from avow.projections.rebuild import rebuild
from avow.projections.replay import replay
from benchmarks.contenders.avow import Avow
from benchmarks.workload import ORG, UNIT, Noted

FIELDS = ("item_id", "unit_id", "title", "amount", "target")
notes = table("note_row", key("item_id"), text("unit_id"), text("title"), number("amount"), number("target"))


class Notes(Projection):
    """One row an event: the dearest case there is."""

    name, version, tables = "notes", 1, (notes,)

    @on(Noted, fields=FIELDS, row=notes.at("item_id"))
    def noted(self, event: Noted, recorded: Recorded, row: Row) -> None:
        row.update(unit_id=event.unit_id, title=event.title, amount=event.amount, target=event.target)


class AvowViews(Avow):
    """The log with a projection beside it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._projection = Notes()
        self._noted = EventTypes((Noted,))
        self.run(self._database.write(partial(create_views, projections=[self._projection])))

    def project(self) -> float:
        """Events a second taken into an empty build, in the pages of a projector that is far behind."""

        async def work() -> float:
            build = await self._database.write(partial(begin, projection=self._projection))
            size = await self._size()
            page = partial(project, org=ORG, projection=self._projection, types=self._noted, limit=FAR, build=build)
            began = time.perf_counter()
            while await self._database.write(page):
                continue
            spent = time.perf_counter() - began
            unfinished = Build(build, self._projection.version, State.BUILDING)
            await self._database.write(partial(drop, projection=self._projection, build=unfinished))
            return size / spent

        return self.run(work())

    def rebuild(self) -> float:
        """Events a second rebuilt beside the live build, compared with it and switched to."""

        async def work() -> float:
            while await self._database.write(partial(project, org=ORG, projection=self._projection, types=self._noted)):
                continue
            began = time.perf_counter()
            done = await rebuild(self._database, self._projection, self._noted)
            assert done.differences == ()
            return done.positions[ORG] / (time.perf_counter() - began)

        return self.run(work())

    def as_of(self) -> float:
        """Events a second replayed into memory, up to now on both axes."""

        async def work() -> float:
            now = self._ports.clock.now()
            began = time.perf_counter()
            asked = Asked(now.isoformat(), now.isoformat())
            where = await self._database.read(partial(cut, org=ORG, asked=asked, now=now))
            folded = await replay(self._database, ORG, self._projection, self._noted, where.position, where.as_of)
            assert folded.events == where.position - 1
            return where.position / (time.perf_counter() - began)

        return self.run(work())

    async def _size(self) -> int:
        def last(connection: Connection) -> int:
            head = read_head(connection, ORG)
            return head.position if head else 0

        return await self._database.read(last)


def _rows(many: int) -> list[tuple[Any, ...]]:
    base = uuid4().hex
    return [(ORG, f"{base}-{n}", UNIT, "Answer within a day", n % 100, 100) for n in range(many)]


class Copy:
    """COPY into a table with the same columns and key, a page a transaction."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+asyncpg", "")

    def write(self, events: int) -> float:
        """Rows a second, of rows made beforehand."""
        return asyncio.run(self._write(_rows(events)))

    async def _write(self, rows: list[tuple[Any, ...]]) -> float:
        connection = await asyncpg.connect(self._url)
        await connection.execute("DROP TABLE IF EXISTS copied")
        await connection.execute(
            'CREATE TABLE copied (org varchar COLLATE "C", item_id varchar COLLATE "C", unit_id varchar, title varchar,'
            " amount bigint, target bigint, PRIMARY KEY (org, item_id))"
        )
        began = time.perf_counter()
        for start in range(0, len(rows), FAR):
            await connection.copy_records_to_table("copied", records=rows[start : start + FAR])
        spent = time.perf_counter() - began
        await connection.close()
        return len(rows) / spent


class Many:
    """`executemany` of bare sqlite3 into such a table, a page a transaction."""

    def __init__(self, url: str) -> None:
        self._path = str(make_url(url).database)

    def write(self, events: int) -> float:
        """Rows a second, of rows made beforehand."""
        rows = _rows(events)
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("DROP TABLE IF EXISTS many")
        connection.execute(
            "CREATE TABLE many (org TEXT, item_id TEXT, unit_id TEXT, title TEXT, amount INTEGER, target INTEGER,"
            " PRIMARY KEY (org, item_id))"
        )
        began = time.perf_counter()
        for start in range(0, len(rows), FAR):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO many VALUES (?, ?, ?, ?, ?, ?)", rows[start : start + FAR])
            connection.execute("COMMIT")
        spent = time.perf_counter() - began
        connection.close()
        return len(rows) / spent
