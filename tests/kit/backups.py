"""Backups in tests: a book's log written to a folder, and restored into any database."""

import gzip
import json
import threading
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from avow.audit.rows import EventRow, pages
from avow.backup.format import Book
from avow.backup.restoring import restore_books
from avow.backup.writing import write_books
from avow.eventlog.database import Database, open_database


def silent(_: int) -> None:
    """Whoever is not interested in how far it is."""


def make(folder: Path) -> None:
    """Make a folder and those above it."""
    folder.mkdir(parents=True)


async def back_up(
    database: Database, folder: Path, service: str = "pledge", told: Callable[[int], None] = silent
) -> list[Book]:
    """Write a service's books into a folder."""
    make(folder)
    return await database.read(partial(write_books, service=service, folder=folder, told=told))


async def restore_into(url: str, books: Sequence[Book], folder: Path) -> list[Book]:
    """Restore books into the database at `url`."""
    database = open_database(url)
    try:
        return await database.write(partial(restore_books, books=books, folder=folder, told=silent))
    finally:
        await database.close()


async def read_from(url: str, work: Callable[[Connection], Any]) -> Any:
    """What `work` reads of the database at `url`."""
    database = open_database(url)
    try:
        return await database.read(work)
    finally:
        await database.close()


def every_row(connection: Connection, org: str) -> list[EventRow]:
    """The rows of a log in the form they are hashed in, which is the same on both engines."""
    return [row for page in pages(connection, org) for row in page]


def altered(book: Book, folder: Path, change: Callable[[list[list[Any]]], object]) -> Book:
    """The book after somebody who knows the form changed its rows and mended the manifest's checksum."""
    path = folder / book.file
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    change(rows)
    path.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    return book.model_copy(update={"sha256": sha256(path.read_bytes()).hexdigest()})


def in_a_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread that has no event loop of its own yet, and wait for it."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
