"""The rows a batch becomes: timed, salted, hashed and chained to the end of the log. Pure but for the salts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from avow.contracts import moment
from avow.contracts.leaf import SALT_LENGTH, chain, leaf
from avow.eventlog.batch import Head, Placed
from avow.eventlog.records import Proposed

COLUMNS = (
    "position", "sequence", "stream", "version", "event_id", "type", "schema", "occurred_at", "campaign", "actor",
    "on_behalf_of", "correlation_id", "causation_id", "traceparent", "late_reason", "data", "sealed", "salt", "leaf",
    "hash",
)  # fmt: skip
"""What a composed row says, in this order; `org`, `recorded_at` and `format` are the batch's."""

Composed = tuple[Any, ...]
Payload = tuple[bytes, bytes | None]
"""An event's `data` and `sealed` bytes."""


def time_of(head: Head, rows: Sequence[Placed], now: datetime) -> datetime:
    """When the log takes the rows in: a clock set back must not make it say an event was known before it happened."""
    happened = [item.context.occurred_at for item, _ in rows if isinstance(item, Proposed)]
    return max(now, head.recorded_at, *happened)


def compose(
    org: str,
    head: Head,
    rows: Sequence[Placed],
    payloads: Sequence[Payload],
    recorded_at: datetime,
    random_bytes: Callable[[int], bytes],
) -> tuple[list[Composed], Head]:
    """The rows to insert behind `head`, and the head behind them; `payloads` are those of the rows' own events."""
    own = iter(payloads)
    composed: list[Composed] = []
    recorded = moment.to_text(recorded_at)
    hash, sequence = head.hash, head.sequence
    for item, at in rows:
        if isinstance(item, Proposed):
            data, sealed = next(own)
            context = item.context
            happened, kind, schema = context.occurred_at, item.event.type, item.event.schema_version
            told = (
                context.campaign, context.actor, context.on_behalf_of, context.correlation_id, context.causation_id,
                context.traceparent, context.late_reason, data, sealed,
            )  # fmt: skip
        else:
            wire = item.envelope
            happened, kind, schema = wire.occurred_at, wire.type, wire.schema
            told = (None, None, None, None, None, None, None, item.line, None)
        salt = random_bytes(SALT_LENGTH)
        said = (at.sequence, at.stream, at.version, at.event_id, kind, schema)
        own_leaf = leaf(salt, (org, *said, moment.to_text(happened), recorded, *told))
        hash = chain(hash, own_leaf)
        composed.append((at.position, *said, happened, *told, salt, own_leaf, hash))
        if at.sequence is not None:
            sequence = at.sequence
    position = rows[-1][1].position if rows else head.position
    return composed, replace(head, position=position, sequence=sequence, hash=hash, recorded_at=recorded_at)
