"""What goes into the log and what comes out of it: proposed and recorded events.

Promises: an event imported from another log reads like the event it is, with its own stream, version and times, and
with `log_id` saying where it came from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from avow.contracts import envelope
from avow.contracts.envelope import Envelope
from avow.kernel.message import Event
from avow.kernel.seal import sealed_fields

IMPORT = "import/"


@dataclass(frozen=True, slots=True)
class Context:
    """Who caused an event, when it happened (a naive time is a ValueError), and what it belongs to."""

    occurred_at: datetime
    actor: str | None = None
    on_behalf_of: str | None = None
    campaign: str | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None
    late_reason: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError("a moment without a time zone")


@dataclass(frozen=True, slots=True)
class Proposed:
    """An event to be appended to `stream`."""

    stream: str
    event_id: UUID
    event: Event
    context: Context


# Asked for with every line of a log.
@lru_cache(64)
def import_stream(log_id: UUID | str) -> str:
    """The stream that a log's lines are imported into."""
    return f"{IMPORT}{log_id}"


@dataclass(frozen=True, slots=True)
class Import:
    """A line of another log's feed, to be kept whole."""

    line: bytes
    envelope: Envelope
    stream: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stream", import_stream(self.envelope.log_id))


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an event stands in the log; `repeated` when it stood there before it was asked for."""

    position: int
    sequence: int | None
    stream: str
    version: int
    event_id: UUID
    repeated: bool = field(default=False, compare=False)


class Recorded(NamedTuple):
    """An event as the log holds it; `position` is always this log's, everything else the event's own.

    It is made by the million, so what is seldom asked for is converted when it is asked for.
    """

    position: int
    stream: str
    version: int
    id_as_stored: UUID | str
    type: str
    schema: int
    time_as_stored: datetime | str
    data: bytes
    sealed: bytes | None
    log_id: UUID | None
    """The log it was imported from."""

    @property
    def event_id(self) -> UUID:
        return self.id_as_stored if isinstance(self.id_as_stored, UUID) else UUID(self.id_as_stored)

    @property
    def occurred_at(self) -> datetime:
        stored = self.time_as_stored
        return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)

    @property
    def identity(self) -> str:
        """The part of the stream's name behind its category."""
        return self.stream.split("/", 1)[1]


COLUMNS = "position, stream, version, event_id, type, schema, occurred_at, data, sealed, NULL"
"""What of a row makes a record, in this order."""


def recorded(rows: Iterable[Sequence[Any]]) -> list[Recorded]:
    """The records that rows of `COLUMNS` hold, as either driver gives them; the imported ones are unwrapped."""
    return [_imported(row) if row[1].startswith(IMPORT) else Recorded._make(row) for row in rows]


def _imported(row: Sequence[Any]) -> Recorded:
    wire = envelope.decode(row[7])
    return Recorded(
        row[0], wire.stream, wire.version, wire.event_id, wire.type, wire.schema, wire.occurred_at, wire.data,
        wire.sealed, wire.log_id,
    )  # fmt: skip


def plain_fields(event: Event, sealed: Mapping[str, object]) -> bytes:
    """The event's data as it is written and hashed: compact JSON in declaration order, without the sealed fields."""
    return event.model_dump_json(exclude=set(sealed) & set(sealed_fields(type(event)))).encode()
