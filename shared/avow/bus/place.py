"""The relay's place: how far an organisation's events are published, and which process is at it.

A process that wants the place watches it by its own watch: one that is kept changes every second, one that stood still
for `PATIENCE` is free. No two clocks are compared. Promises: of those who take the place at once one gets it, and who
has lost it can move nothing any more (tests/contract/test_place.py). Whether publishing or importing is paused stands
here too, so that it outlives every process (tests/contract/test_pausing.py).
Limit: a process that slept longer than that publishes what it has in flight all the same; it is published twice.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Column, Connection, MetaData, Table, Uuid, delete, insert, select, update

from avow.eventlog.columns import Count, Name

PATIENCE = 8.0
"""Seconds without a sign of life after which a place may be taken."""

metadata = MetaData()

relay = Table(
    "relay",
    metadata,
    Column("org", Name, primary_key=True),
    Column("sequence", Count, nullable=False),
    Column("holder", Uuid),
    Column("beat", Count, nullable=False),
    Column("paused", Name),
)

import_pause = Table(
    "import_pause", metadata, Column("org", Name, primary_key=True), Column("reason", Name, nullable=False)
)

Part = Literal["relay", "import"]
"""What can be paused of an organisation's bus."""


@dataclass(frozen=True)
class Place:
    """What is noted: the last sequence confirmed, who publishes, a number each note raises, and why nobody does."""

    sequence: int
    holder: UUID | None
    beat: int
    paused: str | None


def read(connection: Connection, org: str) -> Place:
    """The place of an organisation, made where there is none yet."""
    query = select(relay.c.sequence, relay.c.holder, relay.c.beat, relay.c.paused).where(relay.c.org == org)
    row = connection.execute(query).one_or_none()
    if row is not None:
        return Place(*row)
    connection.execute(insert(relay).values(org=org, sequence=0, beat=0))
    return Place(0, None, 0, None)


def take(connection: Connection, org: str, seen: Place, holder: UUID) -> bool:
    """Take the place as it was seen; False if it has changed since."""
    unchanged = relay.c.org == org, relay.c.beat == seen.beat, relay.c.paused.is_(None)
    return _set(connection, *unchanged, holder=holder, beat=seen.beat + 1)


def keep(connection: Connection, org: str, holder: UUID, sequence: int) -> bool:
    """Note how far its holder is; False if it is the holder's no more, or publishing was paused."""
    own = relay.c.org == org, relay.c.holder == holder, relay.c.paused.is_(None)
    return _set(connection, *own, sequence=sequence, beat=relay.c.beat + 1)


def leave(connection: Connection, org: str, holder: UUID, sequence: int) -> bool:
    """Note how far its holder is, and free it."""
    own = relay.c.org == org, relay.c.holder == holder
    return _set(connection, *own, sequence=sequence, holder=None, beat=relay.c.beat + 1)


def pause(connection: Connection, org: str, part: Part, reason: str) -> None:
    """Have a part stand still from now on, in every process, until it is resumed."""
    resume(connection, org, part)
    if part == "import":
        connection.execute(insert(import_pause).values(org=org, reason=reason))
    else:
        read(connection, org)
        _set(connection, relay.c.org == org, paused=reason)


def resume(connection: Connection, org: str, part: Part) -> bool:
    """Have a part go on; False if it was not paused."""
    if part == "import":
        return connection.execute(delete(import_pause).where(import_pause.c.org == org)).rowcount == 1
    return _set(connection, relay.c.org == org, relay.c.paused.is_not(None), paused=None)


def paused(connection: Connection, org: str) -> dict[Part, str]:
    """The parts that are paused, and why."""
    publishing = connection.scalar(select(relay.c.paused).where(relay.c.org == org))
    importing = import_paused(connection, org)
    return {
        **({} if publishing is None else {"relay": publishing}),
        **({} if importing is None else {"import": importing}),
    }


def import_paused(connection: Connection, org: str) -> str | None:
    """Why nothing is imported, if a person wants it so."""
    return connection.scalar(select(import_pause.c.reason).where(import_pause.c.org == org))


def _set(connection: Connection, *where: object, **values: object) -> bool:
    return connection.execute(update(relay).where(*where).values(**values)).rowcount == 1  # type: ignore[arg-type]
