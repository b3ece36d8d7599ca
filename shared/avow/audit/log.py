"""Verifying a log by itself: every leaf, the chain, every number, the head.

Promises: what was altered, removed, inserted or moved in the table is found and the first position named, as long as
the hashes behind it were not all computed anew (tests/contract/test_tampering.py). Limit: whoever rewrites every hash
to the end, head row included, or cuts the tail and sets the head back, is found only by a copy elsewhere: the other
service's imports (`avow.audit.imports`) or a hash that was noted outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from avow.audit import rows
from avow.audit.finding import Finding, unreadable
from avow.audit.progress import Progress
from avow.audit.rows import HeadRow
from avow.audit.walk import Walk
from avow.contracts.leaf import GENESIS


@dataclass(frozen=True)
class LogVerdict:
    """What a log turned out to be; `hash` is the last row's, worth noting outside together with its position.

    `findings` are in the order of the log; of many, `faults` counts those that are not listed too.
    """

    org: str
    service: str | None = None
    log_id: str | None = None
    events: int = 0
    public_events: int = 0
    imported_events: int = 0
    position: int = 0
    sequence: int = 0
    hash: str = GENESIS.hex()
    findings: tuple[Finding, ...] = ()
    faults: int = 0

    @property
    def ok(self) -> bool:
        return self.faults == 0

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "ok": self.ok,
            "log_id": self.log_id,
            "events": self.events,
            "public_events": self.public_events,
            "imported_events": self.imported_events,
            "position": self.position,
            "sequence": self.sequence,
            "hash": self.hash,
            "faults": self.faults,
            "findings": [finding.as_json() for finding in self.findings],
        }


def verify_log(
    connection: Connection, org: str, progress: Progress | None = None, noted: Mapping[int, str] | None = None
) -> LogVerdict:
    """Walk the log of `org` from its first row to its head.

    `noted` are hashes (hexadecimal) by position that were kept outside. A database that cannot be read is a finding.
    """
    walk = Walk(noted or {})
    head: HeadRow | None = None
    try:
        head = rows.head(connection, org)
        for page in rows.pages(connection, org):
            for row in page:
                walk.take(row, head)
            if progress is not None:
                progress(walk.events, max(walk.events, rows.number(head and head.position)))
        walk.arrive(head, rows.count(connection, org))
        walk.damage(rows.damage(connection))
    except rows.Unreadable as error:
        walk.found.add(unreadable(error.error, error.after + 1))
    except DBAPIError as error:
        walk.found.add(unreadable(error))
    return LogVerdict(
        org=org,
        service=None if head is None else head.service,
        log_id=None if head is None else head.log_id,
        events=walk.events,
        public_events=walk.public_events,
        imported_events=walk.imported_events,
        position=walk.position,
        sequence=walk.sequence,
        hash=walk.hash.hex(),
        findings=tuple(walk.found.listed),
        faults=walk.found.count,
    )
