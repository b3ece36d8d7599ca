"""The projector: folds the log into a projection's tables, page by page.

Promises: the checkpoint row is locked, and moved in the transaction that writes the rows, so each event takes effect
exactly once whatever number of processes project; nothing is ever skipped: an event that cannot be folded stops this
projection there, with nothing of the page written, and the others go on (tests/contract/test_projections.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.faults import fault_of
from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes
from avow.observe import tracing
from avow.projections.builds import checkpoint, create_views, live_build, position_of, standing, standings
from avow.projections.folding import CannotFold, carry_out, steps_of, wanted_by
from avow.projections.projection import Projection
from avow.projections.rows import load_rows, store_rows

__all__ = ["FAR", "CannotFold", "NoBuild", "checkpoint", "create_views", "position_of", "project"]

FAR = 5 * reading.PAGE
"""How large a page is where the log is farther ahead than that."""

_MOVE = (
    update(checkpoint)
    .where(
        checkpoint.c.org == bindparam("of"),
        checkpoint.c.projection == bindparam("by"),
        checkpoint.c.build == bindparam("into"),
    )
    .values(position=bindparam("reached"))
)


class NoBuild(Exception):
    """A projection has no build to fold into: its tables were never created, or belong to another version."""


def project(
    connection: Connection,
    org: str,
    projection: Projection,
    types: EventTypes,
    limit: int | None = None,
    build: int | None = None,
    upto: int | None = None,
) -> bool:
    """Take the next page of the log into a build, the live one unless another is named; whether there is more.

    A page has up to `limit` events, and none behind `upto`. Raises CannotFold, and NoBuild.
    """
    at = standing(connection, org, projection, build, lock=True) or _first(connection, org, projection, build)
    number, start = at
    head = read_head(connection, org)
    last = min(head.position if head else 0, 2**53 if upto is None else upto)
    if last <= start:
        return False
    size = limit or (FAR if last - start > FAR else reading.PAGE)
    records = reading.page(connection, org, start, last, projection.event_types, size)
    # What is folded anew was traced when it came.
    fold(connection, org, projection, number, types, records, traced=build is None)
    more = len(records) == size
    move(connection, org, {projection.name: number}, records[-1].position if more else last)
    return more


@dataclass(frozen=True)
class News:
    """What has come since the projections of an organisation were moved last, read once for all of them."""

    places: Mapping[str, tuple[int, int]]
    """The build and position of each, by name."""
    end: int
    """The position of the last event there is."""
    records: Sequence[Recorded]

    def of(self, projection: Projection) -> list[Recorded]:
        """What of it a projection takes in."""
        _, position = self.places[projection.name]
        return [one for one in self.records if one.position > position and one.type in projection.handlers]


def news(connection: Connection, org: str, projections: Sequence[Projection]) -> News:
    """What has come for those projections that have a place; their places are held until the transaction ends.

    Nobody has one where somebody is more than a page behind: then each is moved by itself.
    """
    places = standings(connection, org, projections, lock=True)
    # Read behind the lock: whoever held it may be further than the log was before.
    head = read_head(connection, org)
    start = min((position for _, position in places.values()), default=0)
    if head is None or head.position - start > reading.PAGE:
        return News({}, 0, ())
    types = sorted({type for one in projections if one.name in places for type in one.event_types})
    return News(places, head.position, reading.page(connection, org, start, head.position, types))


def fold(
    connection: Connection,
    org: str,
    projection: Projection,
    build: int,
    types: EventTypes,
    records: Sequence[Recorded],
    traced: bool = True,
) -> None:
    """Fold records, in their order, into a build whose position is held. Raises CannotFold.

    The rows they name are loaded, folded in memory and written back in bulk.
    """
    begun = tracing.begin() if traced else None
    try:
        steps = list(steps_of(projection, types, records))
        wanted = wanted_by(steps)
        tables = {view: view.stored(projection.version, build) for view in wanted}
        held = {view: load_rows(connection, org, view, tables[view], list(keys)) for view, keys in wanted.items()}
        carry_out(projection, steps, held)
        for view, rows in held.items():
            store_rows(connection, org, view, tables[view], [row for row in rows.values() if row.changed])
    except CannotFold:
        raise
    except Exception as error:
        if fault_of(error):
            raise
        raise CannotFold(projection.name, records[0].position) from error
    if begun is not None and records:
        found = reading.traces(connection, org, records[0].position, records[-1].position, projection.event_types)
        tracing.note_each("project", found, begun, org=org, projection=projection.name)


def move(connection: Connection, org: str, moved: Mapping[str, int], reached: int) -> None:
    """Note how far projections are; `moved` names the build of each."""
    if moved:
        moves = [{"of": org, "by": by, "into": into, "reached": reached} for by, into in moved.items()]
        connection.execute(_MOVE, moves)


def _first(connection: Connection, org: str, projection: Projection, build: int | None) -> tuple[int, int]:
    """Put an organisation at the beginning of a build."""
    number = live_build(connection, projection) if build is None else build
    if number is None:
        raise NoBuild(projection.name)
    row: dict[str, Any] = {"org": org, "projection": projection.name, "build": number, "position": 0}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(checkpoint).values(row).on_conflict_do_nothing())
    # Another process may have put it there, and be further on.
    return standing(connection, org, projection, number, lock=True) or (number, 0)
