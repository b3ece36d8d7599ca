"""The verdict: both logs, read from their databases, beside what was acknowledged and beside each other.

Promises: lost, doubled and reordered are counted from the rows and the ledger alone; `avow verify` is asked as well,
which folds every view from scratch and recomputes every hash. A hand-made log in `test_verdict.py` shows each kind.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from avow.audit.verify import PairVerdict, Side, verify_pair
from avow.contracts.envelope import encode
from avow.eventlog import reading
from avow.eventlog.database import Database
from avow.eventlog.records import IMPORT
from avow.eventlog.tables import event
from avow.eventlog.types import EventTypes
from avow.service.hosting import installed
from tests.chaos.callers import ORG
from tests.chaos.ledger import Line, Service

BEGUN = ("unit/", "review_round/", "campaign/")
"""The streams that commands of the callers begin."""


class Row(NamedTuple):
    """An event of a log; `line` is what was imported, of an import."""

    position: int
    stream: str
    version: int
    hash: bytes
    line: bytes | None


@dataclass(frozen=True)
class Book:
    """A service's log as it stands in its database: its rows by position, and what it makes public, line by line."""

    rows: Sequence[Row]
    public: Sequence[bytes]


@dataclass
class Verdict:
    """What is wrong; nothing if all is well."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.reordered or self.unsound)


def read_book(connection: Connection) -> Book:
    """A service's log, in one snapshot."""
    columns = event.c.position, event.c.stream, event.c.version, event.c.hash, event.c.data
    found = connection.execute(select(*columns).where(event.c.org == ORG).order_by(event.c.position))
    rows = [Row(*row[:4], row.data if row.stream.startswith(IMPORT) else None) for row in found]
    return Book(rows, [encode(said) for said in reading.envelopes(connection, ORG, 0, 2**53, None, 10**7)])


def judge(books: Mapping[Service, Book], ledger: Sequence[Line], before: Mapping[Service, Row]) -> Verdict:
    """Compare; `before` is where each log ended at the verdict before this one."""
    verdict = Verdict()
    for service, book in books.items():
        (other,) = books.keys() - {service}
        verdict.lost += _lost(service, book, ledger, before.get(service))
        verdict.doubled += _doubled(service, book, ledger)
        _imports(verdict, service, [row for row in book.rows if row.line is not None], books[other].public)
    return verdict


def _lost(service: Service, book: Book, ledger: Iterable[Line], before: Row | None) -> Iterator[str]:
    """What was acknowledged and is not where it was said to be; what stood once and stands no more."""
    stands = {row.position: row for row in book.rows}
    for line in ledger:
        if line.service == service and (line.position not in stands or stands[line.position].stream != line.stream):
            yield f"{service}: {line.stream} is not at {line.position}"
    if before is not None and stands.get(before.position) != before:
        yield f"{service}: what stood at {before.position} stands there no more"


def _doubled(service: Service, book: Book, ledger: Iterable[Line]) -> Iterator[str]:
    """What was begun more often than it was asked for; every command has been answered by now."""
    asked = {line.stream for line in ledger if line.service == service}
    for row in book.rows:
        if row.line is None and row.version == 1 and row.stream.startswith(BEGUN) and row.stream not in asked:
            yield f"{service}: nobody was told of {row.stream}"


def _imports(verdict: Verdict, service: Service, imported: Sequence[Row], public: Sequence[bytes]) -> None:
    times = Counter(row.line for row in imported)
    verdict.lost += [f"{service}: lacks {line[:120]!r}" for line in public if line not in times]
    verdict.doubled += [f"{service}: has {times[line]} times {line[:120]!r}" for line in public if times[line] > 1]
    known = set(public)
    verdict.unsound += [f"{service}: {row.position} is not at its source" for row in imported if row.line not in known]
    if [row.version for row in imported] != list(range(1, len(imported) + 1)):
        verdict.reordered.append(f"{service}: the imports are not in the order of their sequence")
    order = {line: number for number, line in enumerate(public, 1)}
    verdict.reordered += [
        f"{service}: sequence {order[row.line]} is imported as {row.version}"
        for row in imported
        if row.line in order and order[row.line] != row.version
    ]


async def audited(databases: Mapping[Service, Database]) -> PairVerdict:
    """What `avow verify` says."""
    first, second = (
        Side(databases[service], entry.blueprint.projections, EventTypes(entry.blueprint.event_types))
        for service, entry in ((name, installed()[name]) for name in databases)
    )
    return await verify_pair(ORG, first, second)
