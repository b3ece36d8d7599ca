"""The statements of the write path, as the two engines take them fastest.

They speak to the driver with its own values: PostgreSQL gets one array a column (`unnest`), SQLite one tuple a row.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from avow.contracts import moment
from avow.eventlog.batch import Head
from avow.eventlog.compose import COLUMNS, Composed
from avow.eventlog.records import Appended
from avow.eventlog.tables import event, log_head

_IDS = 500
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_TYPES = {
    "org": "varchar", "stream": "varchar", "type": "varchar", "campaign": "varchar", "actor": "varchar",
    "on_behalf_of": "varchar", "traceparent": "varchar", "late_reason": "varchar",
    "position": "bigint", "sequence": "bigint", "version": "bigint", "schema": "bigint", "format": "bigint",
    "event_id": "uuid", "correlation_id": "uuid", "causation_id": "uuid",
    "occurred_at": "timestamptz", "recorded_at": "timestamptz",
    "data": "bytea", "sealed": "bytea", "salt": "bytea", "leaf": "bytea", "hash": "bytea",
}  # fmt: skip
_ARRAYS = ", ".join(f"${n}::{_TYPES[name]}[]" for n, name in enumerate(COLUMNS, 8))

_SWAP = f"""
WITH moved AS (
    UPDATE log_head SET position = $1, sequence = $2, hash = $3, recorded_at = $4
    WHERE org = $5 AND position = $6 AND hash = $7
    RETURNING 1
)
INSERT INTO event ({_NAMES})
SELECT new.* FROM unnest({_ARRAYS}) AS new ({_NAMES}) WHERE EXISTS (SELECT FROM moved)
"""
_INSERT = f"INSERT INTO event ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"

_VERSION = "SELECT version FROM event WHERE event.org = {org} AND event.stream = {stream} ORDER BY version DESC LIMIT 1"
_VERSIONS = {
    "postgresql": "SELECT asked.stream, ({}) FROM unnest($2::varchar[]) AS asked (stream)".format(
        _VERSION.format(org="$1", stream="asked.stream")
    ),
    "sqlite": "SELECT asked.value, ({}) FROM json_each(?2) AS asked".format(
        _VERSION.format(org="?1", stream="asked.value")
    ),
}


def insert_behind(connection: Connection, head: Head, rows: Sequence[Composed], behind: Head) -> bool:
    """Insert rows and move the head from `head` to `behind`; False, and nothing written, if it stands elsewhere.

    One statement on PostgreSQL; on SQLite two, whose transaction holds the file. Raises the database's IntegrityError
    for an event id that is in the log already.
    """
    org = rows[0][0]
    if connection.dialect.name == "postgresql":
        columns = [list(values) for values in zip(*rows, strict=True)]
        moved = (behind.position, behind.sequence, behind.hash, behind.recorded_at, org, head.position, head.hash)
        return connection.exec_driver_sql(_SWAP, (*moved, *columns)).rowcount == len(rows)
    here = log_head.c.org == org, log_head.c.position == head.position, log_head.c.hash == head.hash
    stands = {name: getattr(behind, name) for name in ("position", "sequence", "hash", "recorded_at")}
    if connection.execute(update(log_head).where(*here).values(stands)).rowcount != 1:
        return False
    connection.exec_driver_sql(_INSERT, [tuple(map(_for_sqlite, row)) for row in rows])
    return True


def versions_of(connection: Connection, org: str, streams: Iterable[str]) -> dict[str, int]:
    """The version of each stream that has events."""
    asked: Any = sorted(set(streams))
    dialect = connection.dialect.name
    rows = connection.exec_driver_sql(_VERSIONS[dialect], (org, json.dumps(asked) if dialect == "sqlite" else asked))
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


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment.to_text(value)
    return value.hex if isinstance(value, UUID) else value
