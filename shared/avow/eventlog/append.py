"""Writing one batch into the log, in one transaction, behind the locked head.

Promises: whoever writes holds the organisation's head row, so positions are dense, in commit order and chained,
whatever number of processes write; `recorded_at` never runs backwards. Either every accepted event of the batch is
written and the head moved, or nothing is (tests/race, which is lost without the lock; tests/property).
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select

from avow.contracts.book import BookOpened
from avow.contracts.leaf import GENESIS
from avow.eventlog.batch import Head, Request, Written, number, placed
from avow.eventlog.compose import Chain, behind
from avow.eventlog.database import alone
from avow.eventlog.erasure import erase
from avow.eventlog.memory import Remembered
from avow.eventlog.records import Context, Proposed
from avow.eventlog.seals import seal_all
from avow.eventlog.statements import find_events, insert_behind, versions_of
from avow.eventlog.tables import log_head
from avow.kernel.ports import Ports

# Built once: it takes three times as long to build as to carry out, and whatever reads the log asks for it.
_HEAD = select(log_head).where(log_head.c.org == bindparam("org"))
_LOCKED_HEAD = _HEAD.with_for_update()


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
    return write_batch(connection, org, [Request([first])], ports).head


def read_head(connection: Connection, org: str, lock: bool = False) -> Head | None:
    """The end of the organisation's log, locked for this transaction if asked."""
    row = connection.execute(_LOCKED_HEAD if lock else _HEAD, {"org": org}).one_or_none()
    if row is None:
        return None
    return Head(row.log_id, row.service, row.clock, row.position, row.sequence, row.hash, row.recorded_at)


def write_batch(
    connection: Connection,
    org: str,
    requests: Sequence[Request],
    ports: Ports,
    remembered: Remembered | None = None,
    repeating: bool = False,
) -> Written:
    """Append what can be appended of `requests`, in the transaction the connection is in.

    Where some may be `repeating` what is in the log already, all their ids are looked up; else only those of the
    refused are. An event that destroys a key does so here. Raises UnknownOrganisation before anything is read, and
    KeyDestroyed where a field would be sealed for somebody who was erased.
    """
    head = read_head(connection, org, lock=True)
    if head is None:
        raise UnknownOrganisation(org)
    undisturbed = remembered is not None and remembered.head == head
    versions = _versions(connection, org, requests, remembered if undisturbed else None)
    known = find_events(connection, org, _ids(requests)) if repeating else {}
    outcome = number(org, head, requests, versions, known)
    refused = [request for request, answer in zip(requests, outcome, strict=True) if isinstance(answer, Exception)]
    # What looks like a conflict may be a retry of what is in the log already.
    if refused and not repeating and find_events(connection, org, _ids(refused)):
        # One that shares an id with a refused one is judged by all of its own.
        known = find_events(connection, org, _ids(requests))
        outcome = number(org, head, requests, versions, known)
    written = placed(requests, outcome)
    if written:
        chain = Chain(org, head, ports.random_bytes)
        recorded_at = chain.time_of((item for item, _ in written), ports.clock.now())
        own = [item for item, _ in written if isinstance(item, Proposed)]
        rows = chain.rows(written, seal_all(connection, org, own, ports.random_bytes, recorded_at), recorded_at)
        if not insert_behind(connection, org, head, rows, behind(head, rows)):
            raise RuntimeError(f"the head of {org} moved while it was locked")
        erase(connection, org, (item for item, _ in written))
        head = behind(head, rows)
    return Written(outcome, head, versions | {at.stream: at.version for _, at in written}, undisturbed)


def _versions(
    connection: Connection, org: str, requests: Sequence[Request], remembered: Remembered | None
) -> dict[str, int]:
    """The version of every stream the requests write or expect something of."""
    streams = {stream for request in requests for stream in request.streams}
    known = {} if remembered is None else remembered.versions
    unknown = streams - known.keys()
    looked_up = dict.fromkeys(unknown, 0) | versions_of(connection, org, unknown) if unknown else {}
    return {stream: known[stream] for stream in streams - unknown} | looked_up


def _ids(requests: Sequence[Request]) -> list[UUID]:
    return [event_id for request in requests for event_id in request.event_ids]
