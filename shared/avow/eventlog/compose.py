"""The rows a batch becomes: timed, salted, hashed and chained to the end of the log. Pure but for the salts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from avow.contracts import moment
from avow.contracts.leaf import SALT_LENGTH, chain, leaf
from avow.eventlog.batch import Head, Placed
from avow.eventlog.records import Appended, Import, Proposed
from avow.kernel.seal import kept_under

COLUMNS = (
    "position", "sequence", "stream", "version", "event_id", "type", "schema", "occurred_at", "recorded_at", "campaign",
    "actor", "on_behalf_of", "correlation_id", "causation_id", "traceparent", "late_reason", "data", "sealed", "salt",
    "leaf", "hash",
)  # fmt: skip
"""What a composed row says, in this order; `org` and `format` are the batch's."""

SALTS = 64
"""How many salts are drawn at once: each draw asks the operating system."""
Composed = tuple[Any, ...]
Payload = tuple[bytes, bytes | None]
"""An event's `data` and `sealed` bytes."""


class Chain:
    """Composes rows that stand behind one another."""

    def __init__(self, org: str, head: Head, random_bytes: Callable[[int], bytes]) -> None:
        self._org = org
        self._hash = head.hash
        self._recorded_at = head.recorded_at
        self._random_bytes = random_bytes
        self._salts: list[bytes] = []

    def time_of(self, items: Iterable[Proposed | Import], now: datetime) -> datetime:
        """When the log takes these in: a clock set back must not make it say they were known before they happened."""
        happened = [item.context.occurred_at for item in items if isinstance(item, Proposed)]
        self._recorded_at = max(now, self._recorded_at, *happened)
        return self._recorded_at

    def rows(self, placed: Iterable[Placed], payloads: Iterable[Payload], recorded_at: datetime) -> list[Composed]:
        """The rows of items with their places, behind those before; `payloads` are those of the own events."""
        own, recorded = iter(payloads), moment.to_text(recorded_at)
        return [self._row(item, at, own, recorded_at, recorded) for item, at in placed]

    def _row(
        self, item: Proposed | Import, at: Appended, own: Iterator[Payload], recorded_at: datetime, recorded: str
    ) -> Composed:
        if isinstance(item, Proposed):
            context = item.context
            late_reason = context.late_reason
            if late_reason is not None and kept_under(item.event) is not None:
                # It stands among the seals of the event it belongs to.
                late_reason = None
            happened, kind, schema = context.occurred_at, item.event.type, item.event.schema_version
            told = (
                context.campaign, context.actor, context.on_behalf_of, context.correlation_id, context.causation_id,
                context.traceparent, late_reason, *next(own),
            )  # fmt: skip
        else:
            wire = item.envelope
            happened, kind, schema = wire.occurred_at, wire.type, wire.schema
            told = (None, None, None, None, None, None, None, item.line, None)
        salt = self._salt()
        said = (at.sequence, at.stream, at.version, at.event_id, kind, schema)
        own_leaf = leaf(salt, (self._org, *said, moment.to_text(happened), recorded, *told))
        self._hash = chain(self._hash, own_leaf)
        return (at.position, *said, happened, recorded_at, *told, salt, own_leaf, self._hash)

    def _salt(self) -> bytes:
        if not self._salts:
            drawn = self._random_bytes(SALTS * SALT_LENGTH)
            self._salts = [drawn[at : at + SALT_LENGTH] for at in range(0, len(drawn), SALT_LENGTH)]
        return self._salts.pop()


def behind(head: Head, rows: Sequence[Composed]) -> Head:
    """The end of the log that `rows` make, behind `head`."""
    if not rows:
        return head
    last = dict(zip(COLUMNS, rows[-1], strict=True))
    sequence = next((row[1] for row in reversed(rows) if row[1] is not None), head.sequence)
    return replace(
        head, position=last["position"], sequence=sequence, hash=last["hash"], recorded_at=last["recorded_at"]
    )
