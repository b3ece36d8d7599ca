"""Restoring logs: the rows of a backup into a service's database, verified while they are read.

Promises: every leaf, the chain, the numbers and the end of each log are what the backup's manifest says, or nothing is
written; all books of a service come in one transaction, so whoever is killed leaves none of them, and asks again; a
book that is there is never touched, and the log stays append-only throughout (tests/contract/test_restore.py).
Limit: who rewrites the files and the manifest together deceives this, and not the other service's copy.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, insert, inspect

from avow.audit.rows import EventRow
from avow.audit.walk import Walk
from avow.backup.format import Book, rows_of
from avow.backup.inserting import insert_rows
from avow.backup.problem import Unfit
from avow.contracts import moment
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import alone
from avow.eventlog.erasure import erase_again
from avow.eventlog.tables import create_log, log_head

PAGE = 2000

Told = Callable[[int], None]


def missing(connection: Connection, books: Sequence[Book]) -> list[Book]:
    """The books a service does not have yet; raises Unfit for one that is there and is not as in the backup."""
    if not inspect(connection).has_table("log_head"):
        return list(books)
    wanted = []
    for book in books:
        head = read_head(connection, book.org)
        if head is None:
            wanted.append(book)
        elif (str(head.log_id), head.position, head.hash.hex()) != (book.log_id, book.position, book.hash):
            raise Unfit("restore.book_exists", service=book.service, org=book.org)
    clocks = {book.clock for book in wanted}
    for org in reading.organisations(connection):
        head = read_head(connection, org)
        if head is not None and clocks - {head.clock}:
            raise Unfit("restore.other_clock", service=head.service, org=org, clock=head.clock)
    return wanted


def restore_books(connection: Connection, books: Sequence[Book], folder: Path, told: Told) -> list[Book]:
    """Write the books that are missing, in the transaction the connection is in; raises Unfit."""
    create_log(connection)
    alone(connection)
    wanted = missing(connection, books)
    for book in wanted:
        _restore(connection, book, folder / book.file, told)
    # What the logs say was erased is so again before any key comes back.
    erase_again(connection)
    return wanted


def _restore(connection: Connection, book: Book, path: Path, told: Told) -> None:
    head = book.head
    walk = Walk({}, opening_imports=False)
    for page in _pages(rows_of(path, book)):
        for row in page:
            if row.org != book.org:
                raise Unfit("backup.differs", file=book.file, what="org")
            walk.take(row, head)
        _must_be_sound(walk, book)
        insert_rows(connection, page)
        told(len(page))
    walk.arrive(head, walk.events)
    _must_be_sound(walk, book)
    end = {**head._asdict(), "log_id": UUID(head.log_id), "recorded_at": moment.from_text(head.recorded_at)}
    connection.execute(insert(log_head).values(org=book.org, **end))


def _pages(rows: Iterator[EventRow]) -> Iterator[list[EventRow]]:
    while page := list(islice(rows, PAGE)):
        yield page


def _must_be_sound(walk: Walk, book: Book) -> None:
    for finding in walk.found.listed:
        raise Unfit("backup.unsound_file", file=book.file, finding=finding.code, position=finding.position or 0)
