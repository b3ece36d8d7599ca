"""Writing one batch into the log, in one transaction.

Promises: the organisation's head row is locked first, so positions are dense, in commit order and chained, whatever
number of processes write; `recorded_at` never runs backwards. Either every accepted event of the batch is written
and the head moved, or nothing is.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, String, column, insert, select, update, values

from avow.contracts.book import BookOpened
from avow.contracts.leaf import FORMAT, GENESIS, SALT_LENGTH, chain, leaf, leaf_values
from avow.eventlog.batch import Head, Numbered, Request, number
from avow.eventlog.database import alone
from avow.eventlog.records import Appended, Context, Import, Proposed
from avow.eventlog.seals import seal_all
from avow.eventlog.tables import event, log_head
from avow.kernel.ports import Ports

CHUNK = 500
Answer = list[Appended] | Exception


class WrongClock(Exception):
    """The book's times come from the other kind of clock than this process's; mixed, they would prove nothing."""

    def __init__(self, org: str, book: str) -> None:
        super().__init__(f"the book of {org} is kept by a {book} clock")
        self.org = org
        self.book = book


class UnknownOrganisation(LookupError):
    """No book of this organisation was opened here."""


def open_book(connection: Connection, org: str, service: str, ports: Ports) -> Head:
    """The organisation's book: opened with `book.opened` as its first event if it is not there yet.

    Raises WrongClock for a book that is kept by the other kind of clock.
    """
    head = read_head(connection, org)
    if head is None:
        alone(connection)
        head = read_head(connection, org)
    if head is not None:
        if head.clock != ports.clock.kind:
            raise WrongClock(org, head.clock)
        return head
    log_id, now = ports.new_id(), ports.clock.now()
    row = {
        "org": org, "log_id": log_id, "service": service, "clock": ports.clock.kind,
        "position": 0, "sequence": 0, "hash": GENESIS, "recorded_at": now,
    }  # fmt: skip
    connection.execute(insert(log_head).values(row))
    opened = BookOpened(log_id=log_id, service=service, clock=ports.clock.kind)
    first = Proposed(f"book/{log_id}", ports.new_id(), opened, Context(occurred_at=now))
    write_batch(connection, org, [Request([first])], ports)
    written = read_head(connection, org)
    assert written is not None
    return written


def read_head(connection: Connection, org: str, lock: bool = False) -> Head | None:
    """The end of the organisation's log, locked for this transaction if asked."""
    query = select(log_head).where(log_head.c.org == org)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    return Head(row.log_id, row.service, row.clock, row.position, row.sequence, row.hash, row.recorded_at)


def versions_of(connection: Connection, org: str, streams: Iterable[str]) -> dict[str, int]:
    """The version of each stream that has events."""
    found: dict[str, int] = {}
    wanted = sorted(set(streams))
    for start in range(0, len(wanted), CHUNK):
        asked = values(column("stream", String)).data([(s,) for s in wanted[start : start + CHUNK]]).cte("asked")
        newest = (
            select(event.c.version)
            .where(event.c.org == org, event.c.stream == asked.c.stream)
            .order_by(event.c.version.desc())
            .limit(1)
            .scalar_subquery()
        )
        rows = connection.execute(select(asked.c.stream, newest))
        found.update((stream, version) for stream, version in rows if version is not None)
    return found


def find_events(connection: Connection, org: str, ids: Iterable[UUID]) -> dict[UUID, Appended]:
    """Where the events with these ids stand, for those that are in the log."""
    found: dict[UUID, Appended] = {}
    wanted = list(ids)
    columns = (event.c.position, event.c.sequence, event.c.stream, event.c.version, event.c.event_id)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        for row in connection.execute(select(*columns).where(event.c.org == org, event.c.event_id.in_(part))):
            found[row.event_id] = Appended(*row)
    return found


def write_batch(connection: Connection, org: str, requests: Sequence[Request], ports: Ports) -> list[Answer]:
    """Append what can be appended of `requests`; an answer for each, in their order.

    Raises UnknownOrganisation before anything is read.
    """
    head = read_head(connection, org, lock=True)
    if head is None:
        raise UnknownOrganisation(org)
    versions = versions_of(connection, org, set().union(*(request.streams for request in requests)))
    outcome = number(org, head, requests, versions, {})
    if refused := [request for request, answer in zip(requests, outcome, strict=True) if isinstance(answer, Exception)]:
        # What looks like a conflict may be a retry of what is in the log already.
        known = find_events(connection, org, (event_id for request in refused for event_id in request.event_ids))
        if known:
            outcome = number(org, head, requests, versions, known)
    rows = [row for answer in outcome if isinstance(answer, list) for row in answer if isinstance(row, Numbered)]
    if rows:
        _insert(connection, org, head, rows, ports)
    return [
        answer
        if isinstance(answer, Exception)
        else [row.appended() if isinstance(row, Numbered) else row for row in answer]
        for answer in outcome
    ]


def _insert(connection: Connection, org: str, head: Head, rows: Sequence[Numbered], ports: Ports) -> None:
    proposed = [row.item for row in rows if isinstance(row.item, Proposed)]
    # A clock set back meanwhile must not make the log say an event was known before it happened.
    recorded_at = max(ports.clock.now(), head.recorded_at, *(item.context.occurred_at for item in proposed))
    sealed = iter(seal_all(connection, org, proposed, ports.random_bytes, recorded_at))
    written = []
    hash = head.hash
    for row in rows:
        if isinstance(row.item, Proposed):
            data, seals = next(sealed)
            record = _own(org, row, row.item, data, seals, recorded_at)
        else:
            record = _imported(org, row, row.item, recorded_at)
        hash = _prove(record, hash, ports.random_bytes)
        written.append(record)
    connection.execute(insert(event), written)
    last_sequence = max((row.sequence for row in rows if row.sequence is not None), default=head.sequence)
    connection.execute(
        update(log_head)
        .where(log_head.c.org == org)
        .values(position=rows[-1].position, sequence=last_sequence, hash=hash, recorded_at=recorded_at)
    )


def _own(
    org: str, row: Numbered, item: Proposed, data: bytes, sealed: bytes | None, recorded_at: datetime
) -> dict[str, object]:
    context = item.context
    return {
        "org": org,
        "position": row.position,
        "sequence": row.sequence,
        "stream": item.stream,
        "version": row.version,
        "event_id": item.event_id,
        "type": item.event.type,
        "schema": item.event.schema_version,
        "occurred_at": context.occurred_at,
        "recorded_at": recorded_at,
        "campaign": context.campaign,
        "actor": context.actor,
        "on_behalf_of": context.on_behalf_of,
        "correlation_id": context.correlation_id,
        "causation_id": context.causation_id,
        "traceparent": context.traceparent,
        "late_reason": context.late_reason,
        "data": data,
        "sealed": sealed,
    }


def _imported(org: str, row: Numbered, item: Import, recorded_at: datetime) -> dict[str, object]:
    wire = item.envelope
    return {
        "org": org,
        "position": row.position,
        "sequence": None,
        "stream": item.stream,
        "version": row.version,
        "event_id": wire.event_id,
        "type": wire.type,
        "schema": wire.schema,
        "occurred_at": wire.occurred_at,
        "recorded_at": recorded_at,
        "campaign": None,
        "actor": None,
        "on_behalf_of": None,
        "correlation_id": None,
        "causation_id": None,
        "traceparent": None,
        "late_reason": None,
        "data": item.line,
        "sealed": None,
    }


def _prove(record: dict[str, object], previous: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    salt = random_bytes(SALT_LENGTH)
    record["salt"] = salt
    record["leaf"] = own_leaf = leaf(salt, leaf_values(record))
    record["hash"] = hash = chain(previous, own_leaf)
    record["format"] = FORMAT
    return hash
