"""Reading the log: by position, by public sequence, by stream; always in keyset pages, in order.

Promises: no reader skips or reorders, because positions are dense and in commit order (tests/race).
"""

import json
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, TextClause, bindparam, func, select, text
from sqlalchemy.exc import DatabaseError

from avow.contracts.envelope import Envelope, decode
from avow.eventlog.records import COLUMNS, IMPORT, Recorded, import_stream, recorded
from avow.eventlog.tables import event, log_head
from avow.kernel.ports import ClockKind

PAGE = 1000


def organisations(connection: Connection, clock: ClockKind | None = None) -> list[str]:
    """Every organisation with a book here, or with one that is kept by this kind of clock."""
    query = select(log_head.c.org).order_by(log_head.c.org)
    return list(connection.scalars(query if clock is None else query.where(log_head.c.clock == clock)))


def page(
    connection: Connection, org: str, after: int, upto: int, types: Sequence[str] | None = None, limit: int = PAGE
) -> list[Recorded]:
    """Up to `limit` events with after < position ≤ upto, of the types asked for."""
    where = "position > :after AND position <= :upto"
    return _records(connection, where, "position LIMIT :limit", types, org=org, after=after, upto=upto, limit=limit)


def stream(
    connection: Connection, org: str, name: str, after: int = 0, types: Sequence[str] | None = None
) -> list[Recorded]:
    """The events of one stream behind version `after`, of the types asked for."""
    where = "stream = :name AND version > :after"
    return _records(connection, where, "version", types, org=org, name=name, after=after)


def streams_below(connection: Connection, org: str, prefix: str, upto: int) -> list[Recorded]:
    """Every event of the streams below `prefix` (`ballot/<round>/`) up to a position, by stream and version."""
    where = "stream >= :first AND stream < :behind AND position <= :upto"
    behind = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return _records(connection, where, "stream, version", None, org=org, first=prefix, behind=behind, upto=upto)


def _records(
    connection: Connection, where: str, order: str, types: Sequence[str] | None, **parameters: Any
) -> list[Recorded]:
    # Straight from the driver: to wrap every row and convert every column costs more than all the rest of a replay.
    dialect = connection.dialect.name
    if types is not None:
        parameters["types"] = list(types) if dialect == "postgresql" else json.dumps(types)
    query = _query(where, order, dialect if types is not None else None)
    try:
        rows = connection.execute(query, parameters).cursor.fetchall()
    except sqlite3.Error as error:
        raise DatabaseError(str(query), None, error) from error
    return recorded(rows)


@cache
def _query(where: str, order: str, of_types_on: str | None) -> TextClause:
    of_types = {
        None: "",
        # Not by the index of types: there PostgreSQL would sort all that is left of the log, page after page.
        "postgresql": "AND type || '' = ANY(:types)",
        "sqlite": "AND type IN (SELECT value FROM json_each(:types))",
    }[of_types_on]
    return text(f"SELECT {COLUMNS} FROM event WHERE org = :org AND {where} {of_types} ORDER BY {order}")


_TRAVELLING = [(log_head if name in ("service", "log_id") else event).c[name] for name in Envelope.__struct_fields__]
"""What an envelope is made of, in the order it is made in."""


def envelopes(
    connection: Connection, org: str, after: int, upto: int, types: Sequence[str] | None, limit: int
) -> list[Envelope]:
    """Up to `limit` public events with after < sequence ≤ upto, as they travel."""
    asked = {"org": org, "after": after, "upto": upto, "types": types, "limit": limit}
    return [Envelope(*row) for row in connection.execute(_envelopes(types is not None), asked)]


# Built once each: it takes longer to build than to find the few events that have come.
@cache
def _envelopes(of_types: bool) -> Select[Any]:
    c = event.c
    query = (
        select(*_TRAVELLING)
        .join(log_head, log_head.c.org == c.org)
        .where(c.org == bindparam("org"), c.sequence > bindparam("after"), c.sequence <= bindparam("upto"))
        .order_by(c.sequence)
        .limit(bindparam("limit"))
    )
    return query.where(c.type.in_(bindparam("types", expanding=True))) if of_types else query


def traces(connection: Connection, org: str, first: int, last: int, types: Sequence[str]) -> list[str | None]:
    """The trace each event of these types belongs to, if any, of those that stand from `first` to `last`."""
    within = event.c.org == org, event.c.position >= first, event.c.position <= last, event.c.type.in_(types)
    rows = connection.execute(select(event.c.stream, event.c.traceparent, event.c.data).where(*within))
    return [
        decode(data).traceparent if stream.startswith(IMPORT) else traceparent for stream, traceparent, data in rows
    ]


def imported_upto(connection: Connection, org: str, log_id: str) -> int:
    """The last sequence imported from another log, 0 before the first."""
    query = select(func.max(event.c.version)).where(event.c.org == org, event.c.stream == import_stream(log_id))
    return connection.scalar(query) or 0
