"""An event as a naive fold sees it, and what such a fold returns."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

Table = dict[Any, dict[str, Any]]
Tables = dict[str, Table]


class Told(NamedTuple):
    """An event as a log tells it: its fields as JSON, sealed ones as the seals they are."""

    type: str
    position: int
    stream: str
    version: int
    event_id: str
    occurred_at: datetime
    fields: dict[str, Any]

    def of(self, *names: str) -> dict[str, Any]:
        """These fields; one the event came without is null."""
        return {name: self.fields.get(name) for name in names}

    def exact(self, *names: str) -> dict[str, Any]:
        """These fields as exact numbers."""
        return {name: None if self.fields[name] is None else Decimal(self.fields[name]) for name in names}

    def moments(self, *names: str) -> dict[str, Any]:
        """These fields as moments."""
        return {name: datetime.fromisoformat(self.fields[name]) for name in names}

    def prose(self, name: str) -> dict[str, Any]:
        """What may be sealed, in the column it belongs to."""
        value = self.fields[name]
        is_sealed = isinstance(value, dict) and "ciphertext" in value
        return {f"sealed_{name}" if is_sealed else name: value}


def told(record: Any) -> Told:
    """A record of the log, opened no further than its JSON."""
    fields = json.loads(record.data) | json.loads(record.sealed or b"{}")
    return Told(
        record.type, record.position, record.stream, record.version, str(record.event_id), record.occurred_at, fields
    )
