"""Replaying a log into memory: the same folds as live, over a log cut at a position and, if asked, at a day.

Promises: the rows of a replay are those the live build has at that position, byte for byte; nothing of the service's
database is written, and of its log only the types a projection handles are read (tests/contract/test_replay.py).
Limit: all rows are held in memory at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine

from avow.eventlog import reading
from avow.eventlog.database import Database, sqlite_engine
from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes
from avow.kernel.seal import Seal
from avow.projections.folding import carry_out, steps_of
from avow.projections.projection import KeyValue, Projection, Row, ViewTable
from avow.projections.rows import new_row, store_rows

PAGE = 10_000
Told = Callable[[int, int], None]
"""Hears how far a replay is: the position reached, and where it ends."""


class _AtHand(dict[KeyValue, Row]):
    """The rows of one table; one that is asked for and not there is new."""

    def __init__(self, view: ViewTable) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, key: KeyValue) -> Row:
        row = self[key] = new_row(self._view, key)
        return row


class Replay:
    """A projection's rows in memory, as far as it was given the log."""

    def __init__(self, projection: Projection, types: EventTypes) -> None:
        self.projection = projection
        self.events = 0
        self._types = types
        self._held = {view: _AtHand(view) for view in projection.tables}

    def take(self, records: Sequence[Recorded]) -> None:
        """Fold the next records, of types the projection handles. Raises CannotFold."""
        carry_out(self.projection, steps_of(self.projection, self._types, records), self._held)
        self.events += len(records)

    def rows(self, view: ViewTable) -> list[dict[str, Any]]:
        """The rows of a table in the order of their keys, documents as their texts."""
        return [self._held[view][key].kept for key in sorted(self._keys(view))]

    def seals(self) -> Iterator[Seal]:
        """Every seal a row holds."""
        for view in self.projection.tables:
            for key in self._keys(view):
                yield from (value for value in self._held[view][key].kept.values() if isinstance(value, Seal))

    def write(self, connection: Connection, org: str) -> None:
        """Create the tables readers read, and put the rows into them."""
        for view in self.projection.tables:
            table = view.sql(self.projection.version)
            table.create(connection)
            rows = [self._held[view][key] for key in self._keys(view)]
            for start in range(0, len(rows), PAGE):
                store_rows(connection, org, view, table, rows[start : start + PAGE])

    def _keys(self, view: ViewTable) -> list[KeyValue]:
        return [key for key, row in self._held[view].items() if row.exists]


def a_scratch_engine() -> Engine:
    """An empty SQLite database in memory, on one connection."""
    return sqlite_engine("sqlite://", begin="BEGIN IMMEDIATE", shared=True)


async def replay(
    database: Database,
    org: str,
    projection: Projection,
    types: EventTypes,
    upto: int,
    as_of: datetime | None = None,
    told: Told | None = None,
) -> Replay:
    """Fold the log up to a position, without what had not occurred by `as_of`. Raises CannotFold.

    Folding has a thread of its own, so that whoever waits for the loop is not kept.
    """
    folded = Replay(projection, types)
    async with aclosing(_pages(database, org, projection, upto)) as pages:
        async for records, reached in pages:
            occurred = records if as_of is None else [record for record in records if record.occurred_at <= as_of]
            await asyncio.to_thread(folded.take, occurred)
            if told is not None:
                told(reached, upto)
    return folded


async def _pages(
    database: Database, org: str, projection: Projection, upto: int
) -> AsyncGenerator[tuple[list[Recorded], int]]:
    """The log page by page, each with the position it reaches; the next one is read while one is folded."""

    def read(after: int) -> asyncio.Task[list[Recorded]]:
        page = partial(reading.page, org=org, after=after, upto=upto, types=projection.event_types, limit=PAGE)
        return asyncio.create_task(database.read(page))

    ahead, more = read(0), True
    try:
        while more:
            records = await ahead
            more = len(records) == PAGE
            reached = records[-1].position if more else upto
            if more:
                ahead = read(reached)
            yield records, reached
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)
