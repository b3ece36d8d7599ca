"""The statements of the write path, as the two engines take them fastest.

They speak to the driver with its own values: PostgreSQL gets one array a column (`unnest`), SQLite one tuple a row.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from avow.contracts import moment
from avow.contracts.leaf import FORMAT
from avow.eventlog.batch import Head
from avow.eventlog.compose import COLUMNS, Composed
from avow.eventlog.records import Appended
from avow.eventlog.tables import event

_IDS = 500
_TYPES = {
    "sequence": "bigint", "version": "bigint", "schema": "bigint",
    "event_id": "uuid", "correlation_id": "uuid", "causation_id": "uuid",
    "occurred_at": "timestamptz", "recorded_at": "timestamptz",
    "data": "bytea", "sealed": "bytea", "salt": "bytea", "leaf": "bytea", "hash": "bytea",
}  # fmt: skip
_GIVEN = COLUMNS[1:]
_NAMES = ", ".join(f'"{name}"' for name in _GIVEN)
_ARRAYS = ", ".join(f"${n}::{_TYPES.get(name, 'varchar')}[]" for n, name in enumerate(_GIVEN, 8))

SWAP = f"""
WITH moved AS (
    UPDATE log_head SET position = $1, sequence = $2, hash = $3, recorded_at = $4
    WHERE org = $5 AND position = $6 AND hash = $7
    RETURNING 1
)
INSERT INTO event (org, position, format, {_NAMES})
SELECT $5, $6 + n, {FORMAT}, {_NAMES}
FROM unnest({_ARRAYS}) WITH ORDINALITY AS new ({_NAMES}, n)
WHERE EXISTS (SELECT FROM moved)
"""
"""Moves the head and inserts behind it, or does neither: a transaction by itself, for PostgreSQL."""

_MOVE = """
UPDATE log_head SET position = ?, sequence = ?, hash = ?, recorded_at = ? WHERE org = ? AND position = ? AND hash = ?
"""
_INSERT = f"INSERT INTO event (org, format, position, {_NAMES}) VALUES (?, {FORMAT}{', ?' * len(COLUMNS)})"

_VERSION = "SELECT version FROM event WHERE event.org = {org} AND event.stream = {stream} ORDER BY version DESC LIMIT 1"
VERSIONS = "SELECT asked.stream, ({}) FROM unnest($2::varchar[]) AS asked (stream)".format(
    _VERSION.format(org="$1", stream="asked.stream")
)
"""The version of each stream asked for, null where it has no events; for PostgreSQL."""
_VERSIONS_OF_JSON = "SELECT asked.value, ({}) FROM json_each(?2) AS asked".format(
    _VERSION.format(org="?1", stream="asked.value")
)


def swap_arguments(org: str, head: Head, rows: Sequence[Composed], behind: Head) -> tuple[Any, ...]:
    """What `SWAP` takes to insert the rows and move the head from `head` to `behind`."""
    # A column of nulls is one null: the driver looks at every element of an array.
    columns = [
        None if values[0] is None and not any(value is not None for value in values)
        else list(values)
        for values in list(zip(*rows, strict=True))[1:]
    ]  # fmt: skip
    moved = (behind.position, behind.sequence, behind.hash, behind.recorded_at, org, head.position, head.hash)
    return (*moved, *columns)


def insert_behind(connection: Connection, org: str, head: Head, rows: Sequence[Composed], behind: Head) -> bool:
    """Insert rows and move the head from `head` to `behind`; False, and nothing written, if it stands elsewhere.

    Raises the database's IntegrityError for an event id that is in the log already.
    """
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(SWAP, swap_arguments(org, head, rows, behind)).rowcount == len(rows)
    moved = (behind.position, behind.sequence, behind.hash, moment.to_text(behind.recorded_at))
    if connection.exec_driver_sql(_MOVE, (*moved, org, head.position, head.hash)).rowcount != 1:
        return False
    connection.exec_driver_sql(_INSERT, [_for_sqlite(org, row) for row in rows])
    return True


def versions_of(connection: Connection, org: str, streams: Iterable[str]) -> dict[str, int]:
    """The version of each stream that has events."""
    asked = sorted(set(streams))
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql(VERSIONS, (org, asked))
    else:
        rows = connection.exec_driver_sql(_VERSIONS_OF_JSON, (org, json.dumps(asked)))
    return {stream: version for stream, version in rows if version is not None}


def find_events(connection: Connection, org: str, ids: Iterable[UUID]) -> dict[UUID, Appended]:
    """Where the events with these ids stand, for those that are in the log."""
    found: dict[UUID, Appended] = {}
    wanted = list(ids)
    columns = (event.c.position, event.c.sequence, event.c.stream, event.c.version, event.c.event_id)
    for start in range(0, len(wanted), _IDS):
        part = wanted[start : start + _IDS]
        for row in connection.execute(select(*columns).where(event.c.org == org, event.c.event_id.in_(part))):
            found[row.event_id] = Appended(*row)
    return found


def _for_sqlite(org: str, row: Composed) -> Composed:
    """The row with its ids and times as SQLite holds them."""
    at, (event_id, kind, schema, happened, recorded_at, campaign, actor, behalf, correlation_id, causation_id), rest = (
        row[:4], row[4:14], row[14:],
    )  # fmt: skip
    return (
        org, *at, event_id.hex, kind, schema, moment.to_text(happened), moment.to_text(recorded_at), campaign, actor,
        behalf,
        None if correlation_id is None else correlation_id.hex,
        None if causation_id is None else causation_id.hex,
        *rest,
    )  # fmt: skip
