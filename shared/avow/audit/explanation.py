"""An explanation: a figure as a tree, down to the events it came from, each step computed again.

Promises: a step says what was stored and what comes out now, and whether the two agree; a leaf names an event of the
log by id and position, an imported one also by where it came from. Limit: it shows how a figure follows from the events
it says it came from; that no other event belonged there is what the oracle of the tests and a replay show.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from avow.contracts.values import Label
from avow.eventlog.records import COLUMNS, Recorded, recorded
from avow.eventlog.tables import event

_CHUNK = 500


class EventRef(BaseModel):
    """An event: where it stands, when it happened, and when this log took it."""

    model_config = ConfigDict(frozen=True)

    event_id: str
    position: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    source: str | None = Field(description="The log it was imported from; null for one of this service's own.")


class Step(BaseModel):
    """A figure and what it was made of; `stored` and `computed` are null where a step has no figure."""

    model_config = ConfigDict(frozen=True)

    what: Label
    stored: str | None = None
    computed: str | None = None
    event: EventRef | None = None
    steps: list["Step"] = []

    @property
    def agrees(self) -> bool:
        """Whether every figure from here down is what it was said to be."""
        return self.stored == self.computed and all(step.agrees for step in self.steps)


class Explanation(BaseModel):
    """A figure explained; `agrees` says whether every step came out as it was stored."""

    model_config = ConfigDict(frozen=True)

    id: str
    org: str
    agrees: bool
    time_zone: str = Field(description="The campaign's; every moment of the tree is in UTC.")
    tree: Step


Explainer = Callable[[Connection, str, str], Explanation | None]
"""(connection, organisation, id) → the explanation; None where there is nothing of that id."""


class Filed(NamedTuple):
    """An event as the log holds it, and its reference."""

    record: Recorded
    ref: EventRef


def filed(connection: Connection, org: str, event_ids: Iterable[str]) -> dict[str, Filed]:
    """The events with these ids that are in the log, by id."""
    wanted = sorted({UUID(event_id) for event_id in event_ids})
    found: dict[str, Filed] = {}
    columns = [event.c[name.strip()] for name in COLUMNS.split(",")[:-1]]
    for start in range(0, len(wanted), _CHUNK):
        these = event.c.org == org, event.c.event_id.in_(wanted[start : start + _CHUNK])
        for *row, recorded_at in connection.execute(select(*columns, event.c.recorded_at).where(*these)):
            (record,) = recorded([(*row, None)])
            found[str(record.event_id)] = Filed(record, _ref(record, recorded_at))
    return found


def leaves(events: Sequence[Filed], said: Callable[[Recorded], Label]) -> list[Step]:
    """A step for each event, in the order they came, with what it said."""
    ordered = sorted(events, key=lambda one: one.record.position)
    return [Step(what=said(one.record), event=one.ref) for one in ordered]


def _ref(record: Recorded, recorded_at: datetime) -> EventRef:
    return EventRef(
        event_id=str(record.event_id),
        position=record.position,
        type=record.type,
        occurred_at=record.occurred_at,
        recorded_at=recorded_at,
        source=None if record.log_id is None else str(record.log_id),
    )
