"""Projections: what a service shows must be what its log gives when it is folded anew.

Promises: the log is folded into an empty database of its own, up to the position the live projection has reached, and
both contents have the same checksum, whatever the engine; live rows, checkpoint and log are read in one snapshot, and
nothing is written to the service's database (R-71).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DBAPIError, StatementError

from avow.audit.finding import Finding, unreadable
from avow.audit.progress import Progress
from avow.audit.rows import MISREAD, number
from avow.eventlog import reading
from avow.eventlog.records import Recorded
from avow.eventlog.tables import event
from avow.eventlog.types import EventTypes
from avow.projections.builds import builds, checkpoint, live_build, missing_tables, standing
from avow.projections.checksum import checksum
from avow.projections.folding import CannotFold
from avow.projections.projection import Projection
from avow.projections.replay import Replay, a_scratch_engine


@dataclass(frozen=True)
class ProjectionVerdict:
    """What a projection turned out to be at the position it has reached; `finding` where it is not what it should."""

    name: str
    version: int
    position: int = 0
    checksum_live: str | None = None
    checksum_replayed: str | None = None
    finding: Finding | None = None

    @property
    def ok(self) -> bool:
        return self.finding is None

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "ok": self.ok,
            "name": self.name,
            "version": self.version,
            "position": self.position,
            "checksum_live": self.checksum_live,
            "checksum_replayed": self.checksum_replayed,
            "finding": None if self.finding is None else self.finding.as_json(),
        }


def verify_projection(
    connection: Connection, org: str, projection: Projection, types: EventTypes, progress: Progress | None = None
) -> ProjectionVerdict:
    """Fold the log anew up to where `projection` stands and compare; whatever goes wrong is a finding."""
    name, version = projection.name, projection.version

    def wrong(code: str, at: int | None, position: int = 0, **params: JsonValue) -> ProjectionVerdict:
        return ProjectionVerdict(name, version, position, finding=Finding(code, at, name, params))

    try:
        if missing := _missing_tables(connection, projection):
            return wrong("projection.tables_missing", None, tables=", ".join(missing))
        # The build itself, not the view on it: a switch meanwhile is none of this snapshot's.
        build = live_build(connection, projection)
        position = number((standing(connection, org, projection, build) or (build, None))[1])
        last = number(connection.scalar(select(func.max(event.c.position)).where(event.c.org == org)))
        if position > last:
            return wrong("projection.beyond_log", last + 1, position, reached=position, last=last)
        try:
            live = checksum(connection, org, projection, build)
        except MISREAD:
            return wrong("projection.unreadable", position, position)
        try:
            replayed = _replayed(connection, org, projection, types, position, progress)
        except CannotFold as error:
            return wrong("projection.cannot_fold", error.position, position, reason=error.reason)
    except DBAPIError as error:
        return ProjectionVerdict(name, version, finding=unreadable(error, projection=name))
    differs = None if live == replayed else Finding("projection.differs", position, name)
    return ProjectionVerdict(name, version, position, live, replayed, differs)


def _missing_tables(connection: Connection, projection: Projection) -> list[str]:
    there = inspect(connection)
    if missing := [table.name for table in (builds, checkpoint) if not there.has_table(table.name)]:
        return missing
    build = live_build(connection, projection)
    if build is None:
        return [view.sql(projection.version).name for view in projection.tables]
    return missing_tables(connection, projection, build)


def _replayed(
    connection: Connection, org: str, projection: Projection, types: EventTypes, upto: int, progress: Progress | None
) -> str:
    """The checksum of the projection folded from the first event up to `upto`; raises CannotFold."""
    folded = Replay(projection, types)
    for records in _pages(connection, org, projection, upto):
        folded.take(records)
        if progress is not None:
            progress(records[-1].position, upto)
    engine = a_scratch_engine()
    try:
        with engine.begin() as scratch:
            try:
                folded.write(scratch, org)
            except (ValueError, TypeError, OverflowError, StatementError) as error:
                raise CannotFold(projection.name, upto) from error
            return checksum(scratch, org, projection)
    finally:
        engine.dispose()


def _pages(connection: Connection, org: str, projection: Projection, upto: int) -> Iterator[Sequence[Recorded]]:
    after, wanted = 0, projection.event_types
    while True:
        try:
            records = reading.page(connection, org, after, upto, wanted)
        except MISREAD as error:
            raise CannotFold(projection.name, _first_unreadable(connection, org, after, upto, wanted)) from error
        if not records:
            return
        yield records
        after = records[-1].position


def _first_unreadable(connection: Connection, org: str, after: int, upto: int, types: Sequence[str]) -> int:
    c = event.c
    query = select(c.position).where(c.org == org, c.position > after, c.position <= upto, c.type.in_(types))
    positions: list[int] = list(connection.scalars(query.order_by(c.position).limit(reading.PAGE)))
    for position in positions:
        try:
            reading.page(connection, org, position - 1, position, types)
        except MISREAD:
            return position
    return after + 1
