"""A checkpoint in the subscriber's own SQLite database, moved in the transaction of its work: effectively once."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from avow.subscriber.checkpoint import place_of
from avow.subscriber.place import LogKey, Place
from avow.subscriber.received import Received

_TABLE = """
CREATE TABLE IF NOT EXISTS avow_checkpoint (
    name TEXT NOT NULL, org TEXT NOT NULL, service TEXT NOT NULL,
    log_id TEXT NOT NULL, sequence INTEGER NOT NULL, leaf BLOB,
    PRIMARY KEY (name, org, service)
)
"""
_MOVE = """
INSERT INTO avow_checkpoint (name, org, service, log_id, sequence, leaf) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (name, org, service) DO UPDATE SET log_id = excluded.log_id, sequence = excluded.sequence,
    leaf = excluded.leaf
"""
_LOAD = "SELECT org, service, log_id, sequence, leaf FROM avow_checkpoint WHERE name = ?"


class SqliteCheckpoint:
    """A row for each log in the table `avow_checkpoint`, by the subscriber's `name`."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    async def load(self) -> Mapping[LogKey, Place]:
        """Every place that was committed; makes the table where it is missing."""
        with self._connection:
            self._connection.execute(_TABLE)
        rows = self._connection.execute(_LOAD, (self._name,)).fetchall()
        places = (Place(org, service, UUID(log_id), sequence, leaf) for org, service, log_id, sequence, leaf in rows)
        return {place.log: place for place in places}

    async def move(self, to: Received | Place) -> None:
        """Note the place in the transaction that is open; whoever commits it keeps it."""
        place = place_of(to)
        values = (self._name, place.org, place.service, str(place.log_id), place.sequence, place.leaf)
        self._connection.execute(_MOVE, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit at the end, roll back what raises."""
        with self._connection:
            if not self._connection.in_transaction:
                # With isolation_level=None each statement would otherwise be kept by itself.
                self._connection.execute("BEGIN IMMEDIATE")
            yield
