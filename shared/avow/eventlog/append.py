"""Writing one batch into the log: behind the locked head in a transaction, or by comparing and swapping the head.

Promises: whoever writes holds the organisation's head row, so positions are dense, in commit order and chained,
whatever number of processes write; `recorded_at` never runs backwards. Either every accepted event of the batch is
written and the head moved, or nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from avow.contracts.book import BookOpened
from avow.contracts.leaf import GENESIS
from avow.eventlog.batch import Head, Numbered, Request, number
from avow.eventlog.compose import compose, time_of
from avow.eventlog.database import alone
from avow.eventlog.memory import Remembered
from avow.eventlog.records import Appended, Context, Import, Proposed
from avow.eventlog.seals import seal_all
from avow.eventlog.statements import find_events, insert_behind, versions_of
from avow.eventlog.tables import log_head
from avow.kernel.ports import Ports
from avow.kernel.seal import sealed_fields

Answer = list[Appended] | Exception


class WrongClock(Exception):
    """The book's times come from the other kind of clock than this process's; mixed, they would prove nothing."""

    def __init__(self, org: str, book: str) -> None:
        super().__init__(f"the book of {org} is kept by a {book} clock")
        self.org = org
        self.book = book


class UnknownOrganisation(LookupError):
    """No book of this organisation was opened here."""


@dataclass(frozen=True)
class Written:
    """What became of a batch: an answer for each request, in their order, and how the log stands now."""

    answers: list[Answer]
    head: Head
    versions: dict[str, int]
    """Of every stream the batch wrote or looked at."""
    undisturbed: bool
    """Whether nobody else had written since what was remembered."""


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
    query = select(log_head).where(log_head.c.org == org)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
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
    refused are. Raises UnknownOrganisation before anything is read.
    """
    head = read_head(connection, org, lock=True)
    if head is None:
        raise UnknownOrganisation(org)
    undisturbed = remembered is not None and remembered.head == head
    versions = _versions(connection, org, requests, remembered if undisturbed else None)
    known = find_events(connection, org, _ids(requests)) if repeating else {}
    outcome = number(org, head, requests, versions, known)
    refused = [request for request, answer in zip(requests, outcome, strict=True) if isinstance(answer, Exception)]
    if refused and not repeating:
        # What looks like a conflict may be a retry of what is in the log already.
        known = find_events(connection, org, _ids(refused))
        if known:
            outcome = number(org, head, requests, versions, known)
    rows = _rows(outcome)
    if rows:
        recorded_at = time_of(head, rows, ports.clock.now())
        own = [row.item for row in rows if isinstance(row.item, Proposed)]
        payloads = seal_all(connection, org, own, ports.random_bytes, recorded_at)
        composed, behind = compose(org, head, rows, payloads, recorded_at, ports.random_bytes)
        if not insert_behind(connection, head, composed, behind):
            raise RuntimeError(f"the head of {org} moved while it was locked")
        head = behind
    return Written(_answers(outcome), head, _moved(versions, rows), undisturbed)


def swap_batch(
    connection: Connection, org: str, requests: Sequence[Request], ports: Ports, remembered: Remembered
) -> Written | None:
    """Append the whole batch behind the end of the log as it is remembered, in one statement that commits by itself.

    None where nothing was written because it takes a transaction: somebody else wrote meanwhile, a request is refused
    or repeats another, a field is to be sealed or a key to be destroyed.
    """
    if any(_takes_a_key(item) for request in requests for item in request.items):
        return None
    head = remembered.head
    versions = _versions(connection, org, requests, remembered)
    outcome = number(org, head, requests, versions, {})
    if any(isinstance(answer, Exception) for answer in outcome):
        return None
    rows = _rows(outcome)
    if not rows:
        return None
    recorded_at = time_of(head, rows, ports.clock.now())
    payloads = [(row.item.event.model_dump_json().encode(), None) for row in rows if isinstance(row.item, Proposed)]
    composed, behind = compose(org, head, rows, payloads, recorded_at, ports.random_bytes)
    try:
        if not insert_behind(connection, head, composed, behind):
            return None
    except IntegrityError:
        return None
    return Written(_answers(outcome), behind, _moved(versions, rows), undisturbed=True)


def _versions(
    connection: Connection, org: str, requests: Sequence[Request], remembered: Remembered | None
) -> dict[str, int]:
    """The version of every stream the requests write or expect something of."""
    known = {} if remembered is None else remembered.versions
    versions: dict[str, int] = {}
    unknown: list[str] = []
    for stream in dict.fromkeys(stream for request in requests for stream in request.streams):
        version = known.get(stream)
        if version is None:
            unknown.append(stream)
        else:
            versions[stream] = version
    if unknown:
        versions.update(dict.fromkeys(unknown, 0) | versions_of(connection, org, unknown))
    return versions


def _takes_a_key(item: Proposed | Import) -> bool:
    return isinstance(item, Proposed) and bool(sealed_fields(type(item.event)))


def _ids(requests: Sequence[Request]) -> list[UUID]:
    return [event_id for request in requests for event_id in request.event_ids]


def _rows(outcome: Sequence[list[Numbered] | list[Appended] | Exception]) -> list[Numbered]:
    return [row for answer in outcome if isinstance(answer, list) for row in answer if isinstance(row, Numbered)]


def _moved(versions: dict[str, int], rows: Sequence[Numbered]) -> dict[str, int]:
    return versions | {row.at.stream: row.at.version for row in rows}


def _answers(outcome: Sequence[list[Numbered] | list[Appended] | Exception]) -> list[Answer]:
    return [
        answer if isinstance(answer, Exception) else [row.at if isinstance(row, Numbered) else row for row in answer]
        for answer in outcome
    ]
