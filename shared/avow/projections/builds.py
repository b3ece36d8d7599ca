"""Builds: a projection's rows may stand in the database more than once, and one build of each version is live.

    pledge_wall            the SQL view people and reports read: the live build of the newest version that has one
    pledge_wall_v2         the SQL view the code of version 2 reads: the live build of that version
    pledge_wall_v2_b7      the rows of build 7

Promises: views and the mark of the live build change in one transaction, so a reader finds one build whole or the other
(tests/contract/test_rebuild.py). Build numbers are never used twice. A release that raises a version finds the views of
the one before untouched, so both may run side by side. docs/adr/0018 has the reasons and the limits.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    tuple_,
    update,
)

from avow.eventlog.columns import Count, ExactNumber, Name
from avow.eventlog.database import alone
from avow.projections.ordering import number_key_sql
from avow.projections.projection import Projection, ViewTable

_metadata = MetaData()
builds = Table(
    "projection_build",
    _metadata,
    Column("projection", Name, primary_key=True),
    Column("build", Count, primary_key=True),
    Column("version", Count, nullable=False),
    Column("state", Name, nullable=False),
)
checkpoint = Table(
    "projection_position",
    _metadata,
    Column("org", Name, primary_key=True),
    Column("projection", Name, primary_key=True),
    Column("build", Count, primary_key=True),
    Column("position", Count, nullable=False),
)


class State(StrEnum):
    """What a build is: being folded beside the live one, live, or kept for a rollback."""

    BUILDING = "building"
    LIVE = "live"
    KEPT = "kept"


class Build(NamedTuple):
    """A build of a projection."""

    build: int
    version: int
    state: State


def create_views(connection: Connection, projections: Iterable[Projection]) -> list[Projection]:
    """Give each projection a live build where it has none; those whose new version has to be folded first are returned.

    An empty build goes live at once, unless an earlier version holds rows that are to be read meanwhile.
    """
    alone(connection)
    _metadata.create_all(connection)
    waiting = []
    for projection in projections:
        known = builds_of(connection, projection)
        if any(one.version == projection.version and one.state is State.LIVE for one in known):
            continue
        if any(_holds_something(connection, projection, one.build) for one in known if one.state is State.LIVE):
            waiting.append(projection)
        else:
            go_live(connection, projection, begin(connection, projection))
    return waiting


def builds_of(connection: Connection, projection: Projection) -> list[Build]:
    """Every build of a projection, in the order they were begun."""
    query = select(builds).where(builds.c.projection == projection.name).order_by(builds.c.build)
    return [Build(row.build, row.version, State(row.state)) for row in connection.execute(query)]


def live_build(connection: Connection, projection: Projection) -> int | None:
    """The live build of this version; None where it has none."""
    return connection.scalar(select(builds.c.build).where(*_live(projection)))


def position_of(connection: Connection, org: str, projection: Projection) -> int | None:
    """The last position the live build has taken in, or None before its first batch."""
    found = standing(connection, org, projection)
    return None if found is None else found[1]


def positions(connection: Connection, org: str, projections: Iterable[Projection]) -> dict[str, int]:
    """The same of every projection at once, by name."""
    return {name: position for name, (_, position) in standings(connection, org, projections).items()}


def standings(
    connection: Connection, org: str, projections: Iterable[Projection], lock: bool = False
) -> dict[str, tuple[int, int]]:
    """The live build of each of these projections and its position, by name; not those before their first batch.

    `lock` holds the positions until the transaction ends.
    """
    asked = {"org": org, "versions": [(projection.name, projection.version) for projection in projections]}
    rows = connection.execute(_LOCKED_POSITIONS if lock else _POSITIONS, asked)
    return {name: (build, at) for name, build, at in rows}


def standing(
    connection: Connection, org: str, projection: Projection, build: int | None = None, lock: bool = False
) -> tuple[int, int] | None:
    """A build (the live one unless another is named) and its position; None before its first batch.

    `lock` holds the position until the transaction ends.
    """
    asked = {"org": org, "projection": projection.name, "version": projection.version, "build": build}
    row = connection.execute(_standing(build is not None, lock), asked).first()
    return None if row is None else (row.build, row.position)


def begin(connection: Connection, projection: Projection, resume: bool = False) -> int:
    """Begin an empty build of this version beside the live one; its number.

    One that was not finished is dropped; with `resume` it is gone on with.
    """
    alone(connection)
    known = builds_of(connection, projection)
    number = max((one.build for one in known), default=0) + 1
    for one in known:
        if one.state is State.BUILDING and one.version == projection.version:
            if resume:
                return one.build
            drop(connection, projection, one)
    for view in projection.tables:
        _create(connection, view, view.stored(projection.version, number))
    row = {"projection": projection.name, "build": number, "version": projection.version, "state": State.BUILDING}
    connection.execute(insert(builds).values(row))
    return number


def go_live(connection: Connection, projection: Projection, build: int) -> None:
    """Let readers have this build from now on: the one switch.

    What was live in this version is kept; so is what is live in the version before. Anything older is dropped.
    """
    alone(connection)
    known = builds_of(connection, projection)
    for one in known:
        if one.build != build and one.version == projection.version and one.state is State.LIVE:
            _mark(connection, projection, one.build, State.KEPT)
    _mark(connection, projection, build, State.LIVE)
    live = sorted({projection.version, *(one.version for one in known if one.state is State.LIVE)})
    for view in projection.tables:
        kept = view.stored(projection.version, build)
        for name in (view.sql(projection.version).name, *([view.name] if projection.version == live[-1] else [])):
            _point(connection, name, kept)
    for one in known:
        replaced = one.build != build and one.state is State.KEPT
        if replaced or one.version < min(live[-2:]):
            drop(connection, projection, one)


def drop(connection: Connection, projection: Projection, build: Build) -> None:
    """Drop a build and forget its positions; the SQL views of a version that is gone altogether go with it."""
    # Its own row first: whoever is at work on the build holds that, and lets go between two pages.
    for table in (builds, checkpoint):
        connection.execute(delete(table).where(table.c.projection == projection.name, table.c.build == build.build))
    for view in projection.tables:
        if build.state is State.LIVE:
            connection.execute(text(f'DROP VIEW IF EXISTS "{view.sql(build.version).name}"'))
        connection.execute(text(f'DROP TABLE IF EXISTS "{view.stored(build.version, build.build).name}"'))


def hold(connection: Connection, projection: Projection, build: int) -> State | None:
    """What a build is, held so until the transaction ends; None where it was dropped."""
    state = connection.scalar(select(builds.c.state).where(*_named(projection, build)).with_for_update())
    return None if state is None else State(state)


def missing_tables(connection: Connection, projection: Projection, build: int) -> list[str]:
    """The tables of a build that are not there, by name."""
    there = set(inspect(connection).get_table_names())
    wanted = (view.stored(projection.version, build).name for view in projection.tables)
    return [name for name in wanted if name not in there]


def _create(connection: Connection, view: ViewTable, table: Table) -> None:
    """Create a table and its indexes, which go with it when it is dropped."""
    table.create(connection)
    for number, names in enumerate(view.indexes, 1):
        columns = ", ".join(_indexed(table, name, connection.dialect.name) for name in ("org", *names))
        connection.exec_driver_sql(f'CREATE INDEX "{table.name}_i{number}" ON "{table.name}" ({columns})')


def _indexed(table: Table, name: str, dialect: str) -> str:
    on_key = dialect == "sqlite" and isinstance(table.c[name].type, ExactNumber)
    return number_key_sql(f'"{name}"') if on_key else f'"{name}"'


# Built once each: it takes several times as long to build as to carry out, and they are asked for at every growth.
_PLACES = (
    select(checkpoint.c.projection, checkpoint.c.build, checkpoint.c.position)
    .join(builds, (builds.c.projection == checkpoint.c.projection) & (builds.c.build == checkpoint.c.build))
    .where(checkpoint.c.org == bindparam("org"))
)
_POSITIONS = _PLACES.where(
    tuple_(builds.c.projection, builds.c.version).in_(bindparam("versions", expanding=True)),
    builds.c.state == State.LIVE,
)
# In one order, so that no two processes hold what the other waits for.
_LOCKED_POSITIONS = _POSITIONS.order_by(checkpoint.c.projection, checkpoint.c.build).with_for_update(of=checkpoint)


@cache
def _standing(named: bool, lock: bool) -> Select[tuple[str, int, int]]:
    which = [builds.c.build == bindparam("build")] if named else _is_live(bindparam("version"))
    query = _PLACES.where(builds.c.projection == bindparam("projection"), *which)
    return query.with_for_update(of=checkpoint) if lock else query


def _live(projection: Projection) -> tuple[Any, ...]:
    return builds.c.projection == projection.name, *_is_live(projection.version)


def _is_live(version: Any) -> tuple[Any, ...]:
    return builds.c.version == version, builds.c.state == State.LIVE


def _named(projection: Projection, build: int) -> tuple[Any, ...]:
    return builds.c.projection == projection.name, builds.c.build == build


def _mark(connection: Connection, projection: Projection, build: int, state: State) -> None:
    connection.execute(update(builds).where(*_named(projection, build)).values(state=state))


def _holds_something(connection: Connection, projection: Projection, build: int) -> bool:
    c = checkpoint.c
    count = select(func.count()).where(c.projection == projection.name, c.build == build)
    return bool(connection.scalar(count))


def _point(connection: Connection, name: str, table: Table) -> None:
    """Point a SQL view at a table; a table of the view's name is of before there were builds, and is dropped."""
    if name in inspect(connection).get_table_names():
        connection.execute(text(f'DROP TABLE "{name}"'))
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    connection.execute(text(f'DROP VIEW IF EXISTS "{name}"'))
    connection.execute(text(f'CREATE VIEW "{name}" AS SELECT {columns} FROM "{table.name}"'))
