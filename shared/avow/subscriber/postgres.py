"""A checkpoint in the subscriber's own PostgreSQL database, moved in the transaction of its work: effectively once.

It is handed an asyncpg connection, whose driver the subscriber brings along.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

from avow.subscriber.checkpoint import place_of
from avow.subscriber.place import LogKey, Place
from avow.subscriber.received import Received

_TABLE = """
CREATE TABLE IF NOT EXISTS avow_checkpoint (
    name text NOT NULL, org text NOT NULL, service text NOT NULL,
    log_id uuid NOT NULL, sequence bigint NOT NULL, leaf bytea,
    PRIMARY KEY (name, org, service)
)
"""
_MOVE = """
INSERT INTO avow_checkpoint (name, org, service, log_id, sequence, leaf) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name, org, service) DO UPDATE SET log_id = excluded.log_id, sequence = excluded.sequence,
    leaf = excluded.leaf
"""
_LOAD = "SELECT org, service, log_id, sequence, leaf FROM avow_checkpoint WHERE name = $1"


class Connection(Protocol):
    """What is used of `asyncpg.Connection`."""

    async def execute(self, query: str, *values: Any) -> Any: ...

    async def fetch(self, query: str, *values: Any) -> Sequence[Any]: ...

    def transaction(self) -> AbstractAsyncContextManager[Any]: ...


class PostgresCheckpoint:
    """A row for each log in the table `avow_checkpoint`, by the subscriber's `name`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    async def load(self) -> Mapping[LogKey, Place]:
        """Every place that was committed; makes the table where it is missing."""
        await self._connection.execute(_TABLE)
        rows = await self._connection.fetch(_LOAD, self._name)
        # Through its text, for the driver has a UUID of its own.
        places = (Place(row[0], row[1], UUID(str(row[2])), row[3], row[4]) for row in rows)
        return {place.log: place for place in places}

    async def move(self, to: Received | Place) -> None:
        """Note the place in the transaction that is open; whoever commits it keeps it."""
        place = place_of(to)
        values = (self._name, place.org, place.service, place.log_id, place.sequence, place.leaf)
        await self._connection.execute(_MOVE, *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit at the end, roll back what raises."""
        async with self._connection.transaction():
            yield
