"""Inserting rows of a log that was kept elsewhere, as each engine takes them fastest: values are the driver's own."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, LargeBinary, Uuid

from avow.audit.rows import EventRow
from avow.contracts import moment
from avow.eventlog.columns import Instant
from avow.eventlog.tables import event

_NAMES = ", ".join(f'"{name}"' for name in EventRow._fields)
_INTO_SQLITE = f"INSERT INTO event ({_NAMES}) VALUES ({', '.join('?' * len(EventRow._fields))})"


def _array(name: str) -> str:
    kind = event.c[name].type
    for known, said in ((BigInteger, "bigint"), (Uuid, "uuid"), (Instant, "timestamptz"), (LargeBinary, "bytea")):
        if isinstance(kind, known):
            return f"{said}[]"
    return "varchar[]"


_ARRAYS = ", ".join(f"${n}::{_array(name)}" for n, name in enumerate(EventRow._fields, 1))
_INTO_POSTGRESQL = f"INSERT INTO event ({_NAMES}) SELECT * FROM unnest({_ARRAYS})"


def insert_rows(connection: Connection, rows: Sequence[EventRow]) -> None:
    """Insert rows; the head is left as it is. Raises the database's IntegrityError for what is in the log already."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_INTO_POSTGRESQL, tuple(_converted(columns, Instant, moment.from_text)))
    else:
        converted = _converted(columns, Uuid, lambda text: text.replace("-", ""))
        connection.exec_driver_sql(_INTO_SQLITE, list(zip(*converted, strict=True)))


def _converted(
    columns: Sequence[Sequence[Any]], kind: type, convert: Callable[[str], datetime | str]
) -> list[Sequence[Any]]:
    return [
        [None if value is None else convert(value) for value in column]
        if isinstance(event.c[name].type, kind)
        else column
        for name, column in zip(EventRow._fields, columns, strict=True)
    ]
