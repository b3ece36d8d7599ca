"""How publishing, importing and projecting stand, as the databases tell it: beside running services or without them.

Promises: nothing is written; what stands is judged by two looks, so that a holder that is alive, and a part that is
catching up, is told from one that stands still (tests/integration/test_bus_commands.py).
Limit: a reason that only a process knows, such as a broker that is away, is in its `/health/ready`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal

from sqlalchemy import ColumnElement, Connection, inspect, select

from avow.bus import place
from avow.bus.inbox import last_imported
from avow.contracts.envelope import Envelope
from avow.eventlog.append import read_head
from avow.eventlog.batch import Head
from avow.eventlog.database import Database
from avow.eventlog.tables import event
from avow.projections.projection import Projection
from avow.projections.projector import checkpoint, position_of

STILL = 30.0
"""Seconds for which something may wait before a part that does not move counts as standing still."""

Verdict = Literal["moving", "done", "paused", "nobody", "still", "source_changed", "source_behind"]
"""`done`: nothing waits; `moving`: something waits and is being taken in; `nobody`: no process is alive that would;
`still`: something waits for long and is not taken in. The last two are the source's, as in status.py."""

SOUND: frozenset[Verdict] = frozenset({"moving", "done", "paused"})


@dataclass(frozen=True)
class Standing:
    """How far a part is, of how much, and since when the first that it lacks waits."""

    part: str
    reached: int
    head: int
    waits_since: datetime | None = None
    verdict: Verdict = "done"
    reason: str | None = None

    @property
    def lag(self) -> int:
        """How many wait."""
        return max(0, self.head - self.reached)


@dataclass(frozen=True)
class Look:
    """One look at an organisation's book in a service."""

    head: Head
    confirmed: place.Place | None
    imported: Mapping[str, Envelope]
    projected: Mapping[str, int]
    paused: Mapping[place.Part, str]
    waits: Mapping[str, datetime | None] = field(default_factory=dict)


async def look(database: Database, org: str, projections: Sequence[Projection]) -> Look | None:
    """A look at a book; None where there is none."""
    return await database.read(partial(_look, org=org, projections=projections))


def _look(connection: Connection, org: str, projections: Sequence[Projection]) -> Look | None:
    head = read_head(connection, org)
    if head is None:
        return None
    tables = (place.relay.name, place.import_pause.name, checkpoint.name)
    known = {table: inspect(connection).has_table(table) for table in tables}
    held = _place(connection, org) if known[place.relay.name] else None
    shown = projections if known[checkpoint.name] else ()
    projected = {each.name: min(position_of(connection, org, each) or 0, head.position) for each in shown}
    waits = {name: _recorded(connection, org, event.c.position == at + 1) for name, at in projected.items()}
    waits["relay"] = _recorded(connection, org, event.c.sequence == (held.sequence if held else 0) + 1)
    paused = place.paused(connection, org) if all(known.values()) else {}
    return Look(head, held, last_imported(connection, org), projected, paused, waits)


async def source_at(database: Database, org: str, sequence: int) -> tuple[Head, bytes | None, datetime | None] | None:
    """Of a source: its head, the leaf of its event at a sequence, and since when the next one waits to be imported."""

    def read(connection: Connection) -> tuple[Head, bytes | None, datetime | None] | None:
        head = read_head(connection, org)
        if head is None:
            return None
        leaf = connection.scalar(select(event.c.leaf).where(event.c.org == org, event.c.sequence == sequence))
        return head, leaf, _recorded(connection, org, event.c.sequence == sequence + 1)

    return await database.read(read)


def relay_standing(before: Look, after: Look, now: datetime) -> Standing:
    """How publishing stands, by two looks more than a beat apart."""
    then, held = before.confirmed, after.confirmed
    reached, head = held.sequence if held else 0, after.head.sequence
    found = Standing("relay", reached, head, after.waits["relay"])
    if (reason := after.paused.get("relay")) is not None:
        return _judged(found, "paused", reason)
    if held is None or held.holder is None or then is None or then.beat == held.beat:
        return _judged(found, "nobody")
    return _by_progress(found, then.sequence, now, after.head.clock)


def import_standing(
    service: str, before: Look, after: Look, source: tuple[Head, bytes | None, datetime | None], now: datetime
) -> Standing:
    """How importing from a service stands, by two looks and the source's own book."""
    head, leaf, waits_since = source
    last, then = after.imported.get(service), before.imported.get(service)
    found = Standing(f"import of {service}", 0 if last is None else last.sequence, head.sequence, waits_since)
    if last is not None and last.log_id != head.log_id:
        return _judged(found, "source_changed", f"the source's log is now {head.log_id}")
    if last is not None and head.sequence < last.sequence:
        return _judged(found, "source_behind", f"the source's log ends at {head.sequence}")
    if last is not None and leaf != last.leaf:
        return _judged(found, "source_changed", f"the source says something else at sequence {last.sequence}")
    if (reason := after.paused.get("import")) is not None:
        return _judged(found, "paused", reason)
    return _by_progress(found, 0 if then is None else then.sequence, now, head.clock)


def projection_standings(before: Look, after: Look, now: datetime) -> list[Standing]:
    """How each projection stands."""
    head = after.head
    return [
        _by_progress(
            Standing(name, at, head.position, after.waits[name]), before.projected.get(name, 0), now, head.clock
        )
        for name, at in after.projected.items()
    ]


def age(standing: Standing, now: datetime, clock: str) -> float | None:
    """For how many seconds the first has waited; None where nothing waits, or the book has a clock of its own."""
    if standing.waits_since is None or not standing.lag or clock != "real":
        return None
    return max(0.0, (now - standing.waits_since).total_seconds())


def _by_progress(found: Standing, before: int, now: datetime, clock: str) -> Standing:
    if not found.lag:
        return found
    waited = age(found, now, clock)
    still = found.reached <= before and (waited is None or waited > STILL)
    return _judged(found, "still" if still else "moving")


def _judged(found: Standing, verdict: Verdict, reason: str | None = None) -> Standing:
    return Standing(found.part, found.reached, found.head, found.waits_since, verdict, reason)


def _place(connection: Connection, org: str) -> place.Place | None:
    table = place.relay.c
    query = select(table.sequence, table.holder, table.beat, table.paused).where(table.org == org)
    row = connection.execute(query).one_or_none()
    return None if row is None else place.Place(*row)


def _recorded(connection: Connection, org: str, which: ColumnElement[bool]) -> datetime | None:
    found: datetime | None = connection.scalar(select(event.c.recorded_at).where(event.c.org == org, which))
    return found
