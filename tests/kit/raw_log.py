"""An evaluation service's log as the oracle reads it: plain rows, what was imported apart from its own."""

import json
from typing import Any

from sqlalchemy import Connection

from avow.eventlog import reading

Rows = list[dict[str, Any]]


def raw(connection: Connection, org: str) -> tuple[Rows, Rows]:
    """(the pledge service's events, the service's own), each with its position in the evaluation service's log."""
    imported: Rows = []
    own: Rows = []
    for record in reading.page(connection, org, 0, 2**53, limit=2**31):
        row = {
            "position": record.position,
            "event_id": str(record.event_id),
            "type": record.type,
            "occurred_at": record.occurred_at,
            "data": json.loads(record.data),
        }
        (own if record.log_id is None else imported).append(row)
    return imported, own
