"""The rows of a log as the database holds them, in the form their leaves were computed from.

Promises: nothing is normalised on the way: on SQLite a column is the stored text itself, so a letter that another
reader would forgive is seen; a value of a kind the log never writes is named (`EventRow.malformed`). Memory stays flat:
one page at a time, by position.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, LargeBinary, Select, Table, Uuid, func, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from avow.contracts import moment
from avow.contracts.leaf import LEAF_COLUMNS, LeafValue
from avow.eventlog.columns import Instant
from avow.eventlog.records import IMPORT
from avow.eventlog.tables import event, log_head

PAGE = 1000
_FEW = 3
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")

MISREAD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading a row as an event may raise where a column holds what the log never writes."""


class Unreadable(Exception):
    """The database failed while the log was read; `after` is the last position read before."""

    def __init__(self, after: int, error: DBAPIError) -> None:
        super().__init__(f"nothing behind position {after} could be read")
        self.after = after
        self.error = error


class EventRow(NamedTuple):
    """A row of the event table: the columns of the leaf in their order, then the others; times and ids as text."""

    org: str
    sequence: int | None
    stream: str
    version: int
    event_id: str
    type: str
    schema: int
    occurred_at: str
    recorded_at: str
    campaign: str | None
    actor: str | None
    on_behalf_of: str | None
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None
    late_reason: str | None
    data: bytes
    sealed: bytes | None
    position: int
    salt: bytes
    leaf: bytes
    hash: bytes
    format: int

    @property
    def leaf_values(self) -> tuple[LeafValue, ...]:
        return self[: len(LEAF_COLUMNS)]

    @property
    def imported(self) -> bool:
        return self.stream.startswith(IMPORT)

    def malformed(self) -> str | None:
        """The first column that holds what the log never writes, whatever its type says."""
        for name, value, kinds in zip(self._fields, self, _kinds(), strict=True):
            if type(value) not in kinds:
                return name
        times = {"occurred_at": self.occurred_at, "recorded_at": self.recorded_at}
        return next((name for name, text in times.items() if not _MOMENT.fullmatch(text)), None)


class HeadRow(NamedTuple):
    """The head row of a log, as it stands."""

    log_id: str
    service: str
    clock: str
    position: int
    sequence: int
    hash: bytes
    recorded_at: str


def books(connection: Connection) -> list[str]:
    """Every organisation that has a head row or an event here, in order."""
    found = {*connection.scalars(select(log_head.c.org)), *connection.scalars(select(event.c.org).distinct())}
    return sorted(found)


def head(connection: Connection, org: str) -> HeadRow | None:
    """The head row of a log, if there is one."""
    query = select(*_bare(log_head, HeadRow._fields)).where(log_head.c.org == org)
    found = _raw(connection, log_head, HeadRow._fields, query)
    return HeadRow(*found[0]) if found else None


def damage(connection: Connection) -> list[str]:
    """What SQLite's own check says is wrong with the file, at most a few lines; PostgreSQL has none to ask."""
    if connection.dialect.name != "sqlite":
        return []
    try:
        said = connection.exec_driver_sql(f"PRAGMA integrity_check({_FEW})").scalars().all()
    except DBAPIError as error:
        return [str(error.orig)]
    return [str(line) for line in said if line != "ok"]


def count(connection: Connection, org: str) -> int:
    """How many rows a log has."""
    return connection.scalar(select(func.count()).select_from(event).where(event.c.org == org)) or 0


def number(stored: object) -> int:
    """A number as it stands in a table, 0 where it is none."""
    return stored if isinstance(stored, int) else 0


def pages(connection: Connection, org: str) -> Iterator[list[EventRow]]:
    """Every row of a log by position, in pages; raises Unreadable at the first row the database cannot give."""
    query = select(*_bare(event, EventRow._fields)).where(event.c.org == org).order_by(event.c.position)
    behind, last, size = query, 0, PAGE
    failed: DBAPIError | None = None
    while True:
        try:
            page = [EventRow(*row) for row in _raw(connection, event, EventRow._fields, behind.limit(size))]
        except DBAPIError as error:
            failed = failed or error
            if size == 1:
                raise Unreadable(last, failed) from error
            # Smaller steps lead up to the very row.
            size //= 2
            continue
        if not page:
            return
        yield page
        last = page[-1].position
        behind = query.where(event.c.position > last)


def _bare(table: Table, names: tuple[str, ...]) -> list[Any]:
    return [type_coerce(table.c[name], NullType()).label(name) for name in names]


def _raw(connection: Connection, table: Table, names: tuple[str, ...], query: Select[Any]) -> list[list[Any]]:
    convert = _converters(table, names, connection.dialect.name)
    found = [list(row) for row in connection.execute(query)]
    for row in found:
        for place, to_text in convert:
            if row[place] is not None:
                row[place] = to_text(row[place])
    return found


@cache
def _converters(table: Table, names: tuple[str, ...], dialect: str) -> list[tuple[int, Callable[[Any], Any]]]:
    ids = [place for place, name in enumerate(names) if isinstance(table.c[name].type, Uuid)]
    if dialect == "sqlite":
        return [(place, _hyphenated) for place in ids]
    times = [place for place, name in enumerate(names) if isinstance(table.c[name].type, Instant)]
    return [(place, str) for place in ids] + [(place, moment.to_text) for place in times]


def _hyphenated(digits: object) -> object:
    if not isinstance(digits, str) or len(digits) != 32:
        return digits
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@cache
def _kinds() -> list[set[type]]:
    kinds: list[set[type]] = []
    for name in EventRow._fields:
        column = event.c[name]
        kind = int if isinstance(column.type, BigInteger) else bytes if isinstance(column.type, LargeBinary) else str
        kinds.append({kind, type(None)} if column.nullable else {kind})
    return kinds
