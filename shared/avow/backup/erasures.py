"""Erasures: whose keys a log says are destroyed, in its own events and in those it imported."""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, inspect

from avow.eventlog import reading

ERASING = {"person.erased": "person/{person_id}"}
"""The types of event that destroy a key, and the key's subject in terms of the event's data."""


def erasures(connection: Connection) -> Iterator[tuple[str, str]]:
    """Organisation and key subject of every erasure that any log here has."""
    if not inspect(connection).has_table("log_head"):
        return
    for org in reading.organisations(connection):
        after = 0
        while page := reading.page(connection, org, after, 2**53, sorted(ERASING)):
            after = page[-1].position
            for record in page:
                yield org, ERASING[record.type].format(**json.loads(record.data))
