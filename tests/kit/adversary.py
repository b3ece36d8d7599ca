"""Somebody who can do anything to a database, and somebody who can also count.

`forge` computes leaves, hashes and the head row anew, from the description of the format and not with the project's
code: it is what a determined adversary would write, and checks the description at the same time.
"""

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, text, update

from avow.eventlog.database import Database
from avow.eventlog.tables import event, log_head

HASHED = [
    "org",
    "sequence",
    "stream",
    "version",
    "event_id",
    "type",
    "schema",
    "occurred_at",
    "recorded_at",
    "campaign",
    "actor",
    "on_behalf_of",
    "correlation_id",
    "causation_id",
    "traceparent",
    "late_reason",
    "data",
    "sealed",
]


async def tamper(database: Database, deed: Callable[[Connection], Any], *more: Callable[[Connection], object]) -> Any:
    """Put the guards of the log out of action, then do these things in one transaction; what the first one gave."""

    def work(connection: Connection) -> Any:
        if connection.dialect.name == "sqlite":
            guards = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'")
            for name in connection.scalars(guards).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE event DISABLE TRIGGER ALL"))
        given = deed(connection)
        for another in more:
            another(connection)
        return given

    return await database.write(work)


def drop_table(table: Table, connection: Connection) -> None:
    """Drop a table, and on PostgreSQL the views on it; SQLite leaves them there, and nothing behind them."""
    cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
    connection.execute(text(f'DROP TABLE "{table.name}"{cascade}'))


def change(at: int, **columns: object) -> Callable[[Connection], dict[str, Any]]:
    """Other values in the row at a position; a function is applied to what stands there. Gives what stood there."""

    def deed(connection: Connection) -> dict[str, Any]:
        row = connection.execute(select(event).where(event.c.position == at)).one()
        was = {name: getattr(row, name) for name in columns}
        values = {name: new(was[name]) if callable(new) else new for name, new in columns.items()}
        connection.execute(update(event).where(event.c.position == at).values(values))
        return was

    return deed


def remove(*positions: int) -> Callable[[Connection], object]:
    """The rows at these positions are gone."""
    return lambda connection: connection.execute(delete(event).where(event.c.position.in_(positions)))


def swap(one: int, other: int, *beside: str) -> Callable[[Connection], object]:
    """Two rows change places; each place keeps its own columns named in `beside`."""

    def deed(connection: Connection) -> None:
        chosen = event.c.position.in_((one, other))
        rows = [dict(row) for row in connection.execute(select(event).where(chosen)).mappings()]
        kept = [{name: row[name] for name in ("position", *beside)} for row in rows]
        connection.execute(delete(event).where(chosen))
        connection.execute(insert(event), [row | place for row, place in zip(rows, reversed(kept), strict=True)])

    return deed


def forge(connection: Connection) -> None:
    """Make the whole chain and the head row fit what the rows say now."""
    previous, last = bytes(32), None
    for row in connection.execute(select(event).order_by(event.c.position)).mappings().all():
        leaf = sha256(b"\x00\x01" + row["salt"] + b"".join(_part(row[name]) for name in HASHED)).digest()
        previous = sha256(previous + leaf).digest()
        at = event.c.position == row["position"]
        connection.execute(update(event).where(at).values(leaf=leaf, hash=previous))
        last = row
    assert last is not None
    end = {"position": last["position"], "hash": previous, "recorded_at": last["recorded_at"]}
    sequences = connection.scalars(select(event.c.sequence)).all()
    connection.execute(update(log_head).values(end | {"sequence": max(n for n in sequences if n is not None)}))


def flip(value: bytes) -> bytes:
    """One bit of the last byte but one, the other way round."""
    return value[:-2] + bytes((value[-2] ^ 1,)) + value[-1:]


def _part(value: Any) -> bytes:
    if value is None:
        return b"\xff\xff\xff\xff"
    if isinstance(value, datetime):
        value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    raw = value if isinstance(value, bytes) else str(value).encode()
    return struct.pack(">I", len(raw)) + raw
