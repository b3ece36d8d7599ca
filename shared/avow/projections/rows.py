"""Rows of a projection's tables, read and written a page at a time, as the driver takes them fastest.

Promises: one statement a table and page, both ways: PostgreSQL gets one array a column (`unnest`), SQLite one tuple a
row; what is read is what was written, on either engine (tests/contract/test_projections.py).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Date, String, Table

from avow.contracts import moment
from avow.eventlog.columns import ExactNumber, Instant
from avow.kernel.seal import Seal
from avow.projections.projection import Canonical, Document, KeyValue, Row, Sealed, ViewTable, canonical

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Kind:
    """A kind of column: its values on their way to a driver and back, none where they pass as they are."""

    sql: str
    """Its name in PostgreSQL."""
    to_sqlite: Convert | None = None
    from_sqlite: Convert | None = None
    to_postgresql: Convert | None = None
    from_postgresql: Convert | None = None


def _document(value: Any) -> str:
    return value if isinstance(value, Document) else canonical(value)


def _seal(value: Seal) -> str:
    return canonical(value.model_dump(mode="json"))


_KINDS: tuple[tuple[type, Kind], ...] = (
    (Instant, Kind("timestamptz", moment.to_text, datetime.fromisoformat)),
    (ExactNumber, Kind("numeric", lambda value: format(value, "f"), Decimal)),
    (Canonical, Kind("text", _document, Document, _document, Document)),
    (Sealed, Kind("text", _seal, Seal.model_validate_json, _seal, Seal.model_validate_json)),
    (Date, Kind("date", date.isoformat, date.fromisoformat)),
    (Boolean, Kind("boolean", None, bool)),
    (BigInteger, Kind("bigint")),
    (String, Kind("varchar")),
)


def kind_of(type_: Any) -> Kind:
    """What kind of column a declared type makes; a KeyError for one no projection may have."""
    for known, kind in _KINDS:
        if isinstance(type_, known):
            return kind
    raise KeyError(repr(type_))


@dataclass(frozen=True)
class Statements:
    """How the rows of one table are read and written on one engine."""

    select: str
    upsert: str
    binds: tuple[Convert | None, ...]
    reads: tuple[Convert | None, ...]
    keys: tuple[int, ...]
    """Where the key's columns stand among all."""


def load_rows(
    connection: Connection, org: str, view: ViewTable, table: Table, keys: Sequence[KeyValue]
) -> dict[KeyValue, Row]:
    """The rows of a table with these keys; one that is not there comes as a row nobody wrote to."""
    found: dict[KeyValue, Row] = {}
    if keys:
        make = statements(view, table, connection.dialect.name)
        names = list(view.defaults)
        for values in connection.exec_driver_sql(make.select, _asked(connection, org, make, keys)):
            row = _converted(values, make.reads)
            found[tuple(row[n] for n in make.keys)] = Row(dict(zip(names, row, strict=True)), exists=True)
    for key in keys:
        if key not in found:
            found[key] = new_row(view, key)
    return found


def new_row(view: ViewTable, key: KeyValue) -> Row:
    """A row nobody has written to."""
    values = dict(view.defaults)
    values.update(zip(view.keys, key, strict=True))
    return Row(values, exists=False)


def store_rows(connection: Connection, org: str, view: ViewTable, table: Table, rows: Sequence[Row]) -> None:
    """Insert these rows, or replace those with their keys."""
    if not rows:
        return
    make = statements(view, table, connection.dialect.name)
    columns = [
        [value if value is None or bind is None else bind(value) for value in (row.kept[name] for row in rows)]
        for name, bind in zip(view.defaults, make.binds, strict=True)
    ]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(make.upsert, (org, *columns))
    else:
        connection.exec_driver_sql(make.upsert, [(org, *values) for values in zip(*columns, strict=True)])


def _converted(values: Sequence[Any], converts: Sequence[Convert | None]) -> list[Any]:
    return [
        value if value is None or convert is None else convert(value)
        for value, convert in zip(values, converts, strict=True)
    ]


def _asked(connection: Connection, org: str, make: Statements, keys: Sequence[KeyValue]) -> tuple[Any, ...]:
    binds = [make.binds[n] for n in make.keys]
    columns = [[values[n] if bind is None else bind(values[n]) for values in keys] for n, bind in enumerate(binds)]
    if connection.dialect.name == "postgresql":
        return (org, *columns)
    flat = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    return (json.dumps(flat), org)


@cache
def statements(view: ViewTable, table: Table, dialect: str) -> Statements:
    """The statements of a table of a view on an engine."""
    kinds = [kind_of(table.c[field.name].type) for field in view.fields]
    names = [f'"{field.name}"' for field in view.fields]
    keys = [n for n, field in enumerate(view.fields) if field.is_key]
    columns = ", ".join(names)
    # Keys are set to themselves, so that a table of keys alone needs no case of its own.
    sets = ", ".join(f"{name} = excluded.{name}" for name in names)
    conflict = f"ON CONFLICT (org, {', '.join(names[n] for n in keys)}) DO UPDATE SET {sets}"
    kept = ", ".join(f"kept.{name}" for name in names)
    if dialect == "postgresql":
        arrays = ", ".join(f"${n}::{kind.sql}[]" for n, kind in enumerate(kinds, 2))
        asked = ", ".join(f"${n}::{kinds[key].sql}[]" for n, key in enumerate(keys, 2))
        same = " AND ".join(f"kept.{names[n]} = asked.k{n}" for n in keys)
        return Statements(
            f"SELECT {kept} FROM unnest({asked}) AS asked ({', '.join(f'k{n}' for n in keys)}) "
            f'JOIN "{table.name}" AS kept ON kept.org = $1 AND {same}',
            f'INSERT INTO "{table.name}" (org, {columns}) SELECT $1, {columns} '
            f"FROM unnest({arrays}) AS new ({columns}) {conflict}",
            tuple(kind.to_postgresql for kind in kinds),
            tuple(kind.from_postgresql for kind in kinds),
            tuple(keys),
        )
    part = ["asked.value"] if len(keys) == 1 else [f"json_extract(asked.value, '$[{n}]')" for n in range(len(keys))]
    same = " AND ".join(f"kept.{names[n]} = {value}" for n, value in zip(keys, part, strict=True))
    return Statements(
        f'SELECT {kept} FROM json_each(?) AS asked CROSS JOIN "{table.name}" AS kept ON kept.org = ? AND {same}',
        f'INSERT INTO "{table.name}" (org, {columns}) VALUES (?{", ?" * len(names)}) {conflict}',
        tuple(kind.to_sqlite for kind in kinds),
        tuple(kind.from_sqlite for kind in kinds),
        tuple(keys),
    )
