"""What goes into the log and what comes out of it: proposed and recorded events.

Promises: an event imported from another log reads like the event it is, with its own stream, version and times, and
with `log_id` saying where it came from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

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


@dataclass(frozen=True, slots=True)
class Import:
    """A line of another log's feed, to be kept whole."""

    line: bytes
    envelope: Envelope

    @property
    def stream(self) -> str:
        return f"{IMPORT}{self.envelope.log_id}"


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an event stands in the log; `repeated` when it stood there before it was asked for."""

    position: int
    sequence: int | None
    stream: str
    version: int
    event_id: UUID
    repeated: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the log holds it; `position` is always this log's, everything else the event's own."""

    org: str
    position: int
    sequence: int | None
    stream: str
    version: int
    event_id: UUID
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    campaign: str | None
    actor: str | None
    on_behalf_of: str | None
    correlation_id: UUID | None
    causation_id: UUID | None
    data: bytes
    sealed: bytes | None
    log_id: UUID | None = None

    @property
    def identity(self) -> str:
        """The part of the stream's name behind its category."""
        return self.stream.split("/", 1)[1]


def recorded(row: Row[Any]) -> Recorded:
    """The record a row of the event table holds; an imported one is unwrapped."""
    if row.stream.startswith(IMPORT):
        wire = envelope.decode(row.data)
        return Recorded(
            row.org, row.position, wire.sequence, wire.stream, wire.version, wire.event_id, wire.type, wire.schema,
            wire.occurred_at, row.recorded_at, wire.campaign, wire.actor, wire.on_behalf_of, wire.correlation_id,
            wire.causation_id, wire.data, wire.sealed, wire.log_id,
        )  # fmt: skip
    return Recorded(
        row.org, row.position, row.sequence, row.stream, row.version, row.event_id, row.type, row.schema,
        row.occurred_at, row.recorded_at, row.campaign, row.actor, row.on_behalf_of, row.correlation_id,
        row.causation_id, row.data, row.sealed,
    )  # fmt: skip


def plain_fields(event: Event, sealed: Mapping[str, object]) -> bytes:
    """The event's data as it is written and hashed: compact JSON in declaration order, without the sealed fields."""
    return event.model_dump_json(exclude=set(sealed) & set(sealed_fields(type(event)))).encode()
