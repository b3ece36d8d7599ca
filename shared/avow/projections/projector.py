"""The projector: folds the log into a projection's tables, page by page.

Promises: the checkpoint row is locked, and moved in the transaction that writes the rows, so each event takes effect
exactly once whatever number of processes project; nothing is ever skipped: an event that cannot be folded stops this
projection there, with nothing of the page written, and the others go on (tests/contract/test_projections.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.columns import Count, Name
from avow.eventlog.database import alone
from avow.eventlog.faults import fault_of
from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes, UnknownSchema
from avow.projections.projection import KeyValue, Projection, Row, ViewTable

_metadata = MetaData()
checkpoint = Table(
    "projection_checkpoint",
    _metadata,
    Column("org", Name, primary_key=True),
    Column("projection", Name, primary_key=True),
    Column("version", Count, primary_key=True),
    Column("position", Count, nullable=False),
)
_CHUNK = 200


class CannotFold(Exception):
    """An event a projection cannot fold: which projection, which position, and (as the cause) why.

    Where the database refuses the rows of a page, the position is that of the page's first event.
    """

    def __init__(self, projection: str, position: int) -> None:
        super().__init__(f"{projection} cannot fold the event at position {position}")
        self.projection = projection
        self.position = position

    @property
    def reason(self) -> str:
        """The kind of what was raised, and which schema is unknown; never what it says, which may quote a person."""
        cause = self.__cause__ or self
        return str(cause) if isinstance(cause, UnknownSchema) else type(cause).__name__


def create_views(connection: Connection, projections: Iterable[Projection]) -> None:
    """Create the checkpoint table and each projection's tables where they are missing."""
    alone(connection)
    _metadata.create_all(connection)
    for projection in projections:
        for view in projection.tables:
            view.sql(projection.version).create(connection, checkfirst=True)


def position_of(connection: Connection, org: str, projection: Projection, lock: bool = False) -> int | None:
    """The last position this projection has taken in, or None before its first batch."""
    query = select(checkpoint.c.position).where(*_checkpoint_of(org, projection))
    return connection.scalar(query.with_for_update() if lock else query)


def project(
    connection: Connection, org: str, projection: Projection, types: EventTypes, limit: int = reading.PAGE
) -> bool:
    """Take in the next page of the log, up to `limit` events; whether there is more. Raises CannotFold."""
    start = position_of(connection, org, projection, lock=True)
    if start is None:
        _begin(connection, org, projection)
        start = position_of(connection, org, projection, lock=True) or 0
    head = read_head(connection, org)
    if head is None or head.position <= start:
        return False
    records = reading.page(connection, org, start, head.position, projection.event_types, limit)
    try:
        fold(connection, org, projection, types, records)
    except CannotFold:
        raise
    except Exception as error:
        if fault_of(error):
            raise
        raise CannotFold(projection.name, records[0].position) from error
    more = len(records) == limit
    reached = records[-1].position if more else head.position
    connection.execute(update(checkpoint).where(*_checkpoint_of(org, projection)).values(position=reached))
    return more


def fold(
    connection: Connection, org: str, projection: Projection, types: EventTypes, records: Sequence[Recorded]
) -> None:
    """Fold records into the projection's tables: load the rows they name, fold in memory, write back in bulk."""
    steps: list[tuple[Any, Any, Recorded, dict[str, tuple[ViewTable, list[KeyValue], bool]]]] = []
    wanted: dict[ViewTable, dict[KeyValue, None]] = defaultdict(dict)
    for record in records:
        handler = projection.handlers[record.type]
        try:
            event = (handler.reads or types).decode(record)
            if event is None:
                raise UnknownSchema(record.type, record.schema)
            asked = {name: (rows.table, rows.keys(event, record), rows.many) for name, rows in handler.rows.items()}
        except Exception as error:
            raise CannotFold(projection.name, record.position) from error
        for view, keys, _ in asked.values():
            wanted[view].update(dict.fromkeys(keys))
        steps.append((handler, event, record, asked))
    held = {view: _load(connection, org, projection, view, list(keys)) for view, keys in wanted.items()}
    for handler, event, record, asked in steps:
        rows = {
            name: [held[view][k] for k in keys] if many else held[view][keys[0]]
            for name, (view, keys, many) in asked.items()
        }
        try:
            handler.fold(projection, event, record, **rows)
        except Exception as error:
            raise CannotFold(projection.name, record.position) from error
    for view, loaded in held.items():
        _store(connection, org, projection, view, [row for row in loaded.values() if row.changed])


def _checkpoint_of(org: str, projection: Projection) -> tuple[Any, ...]:
    c = checkpoint.c
    return c.org == org, c.projection == projection.name, c.version == projection.version


def _begin(connection: Connection, org: str, projection: Projection) -> None:
    row = {"org": org, "projection": projection.name, "version": projection.version, "position": 0}
    connection.execute(_dialect(connection).insert(checkpoint).values(row).on_conflict_do_nothing())


def _load(
    connection: Connection, org: str, projection: Projection, view: ViewTable, keys: list[KeyValue]
) -> dict[KeyValue, Row]:
    sql = view.sql(projection.version)
    columns = tuple_(*(sql.c[name] for name in view.keys))
    found: dict[KeyValue, Row] = {}
    for start in range(0, len(keys), _CHUNK):
        query = select(sql).where(sql.c.org == org, columns.in_(keys[start : start + _CHUNK]))
        for values in connection.execute(query).mappings():
            row = {name: value for name, value in values.items() if name != "org"}
            found[tuple(row[name] for name in view.keys)] = Row(row, exists=True)
    for k in keys:
        if k not in found:
            found[k] = Row({**view.defaults, **dict(zip(view.keys, k, strict=True))}, exists=False)
    return found


def _store(connection: Connection, org: str, projection: Projection, view: ViewTable, rows: list[Row]) -> None:
    if not rows:
        return
    sql = view.sql(projection.version)
    statement = _dialect(connection).insert(sql)
    # Keys are set to themselves, so that a table of keys alone needs no case of its own.
    others = {name: statement.excluded[name] for name in view.defaults}
    index = ["org", *view.keys]
    upsert = statement.on_conflict_do_update(index_elements=index, set_=others)
    connection.execute(upsert, [{"org": org, **row} for row in rows])


def _dialect(connection: Connection) -> Any:
    return sqlite if connection.dialect.name == "sqlite" else postgresql
