"""Writing a backup of logs: every row of every book of a service, as one snapshot shows it.

Promises: each leaf, the chain and the end of the log are recomputed on the way, so that what is written can be
restored; events appended meanwhile are not in it; memory stays flat; no key is read
(tests/contract/test_backup.py).
"""

import gzip
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, inspect

from avow.audit import rows
from avow.audit.rows import EventRow
from avow.audit.walk import Walk
from avow.backup.format import Book, encode
from avow.backup.problem import Unfit

Told = Callable[[int], None]
"""Told how many events more are done."""


def size(connection: Connection) -> int:
    """How many events a backup of this database will hold, about."""
    if not inspect(connection).has_table("log_head"):
        return 0
    return sum(rows.count(connection, org) for org in rows.books(connection))


def write_books(connection: Connection, service: str, folder: Path, told: Told) -> list[Book]:
    """Write every book of a service into `folder`; raises Unfit at the first row that would not verify."""
    if not inspect(connection).has_table("log_head"):
        return []
    return [_write(connection, service, org, folder, told) for org in rows.books(connection)]


def _write(connection: Connection, service: str, org: str, folder: Path, told: Told) -> Book:
    head = rows.head(connection, org)
    name = f"{service}.{org}.ndjson.gz"
    path = folder / name
    walk = Walk({}, opening_imports=False)
    # For its owner alone; the fastest level already takes most of what there is to take.
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as lines:
            for page in rows.pages(connection, org):
                for row in page:
                    walk.take(row, head)
                _must_be_sound(walk, service, org)
                lines.write(_as_text(page, service, org))
                told(len(page))
        file.flush()
        os.fsync(file.fileno())
    walk.arrive(head, walk.events)
    _must_be_sound(walk, service, org)
    if head is None or head.service != service:
        raise Unfit("backup.unsound", service=service, org=org, finding="head", position=1)
    with path.open("rb") as written:
        digest = _digest(written.read)
    return Book(
        service=service,
        org=org,
        file=name,
        sha256=digest,
        log_id=head.log_id,
        clock=head.clock,
        position=head.position,
        sequence=head.sequence,
        hash=head.hash.hex(),
        recorded_at=head.recorded_at,
    )


def _as_text(page: Sequence[EventRow], service: str, org: str) -> bytes:
    try:
        return b"".join(map(encode, page))
    except UnicodeDecodeError as error:
        raise Unfit("backup.not_text", service=service, org=org) from error


def _must_be_sound(walk: Walk, service: str, org: str) -> None:
    for finding in walk.found.listed:
        at = walk.position if finding.position is None else finding.position
        raise Unfit("backup.unsound", service=service, org=org, finding=finding.code, position=at)


def _digest(read: Callable[[int], bytes]) -> str:
    found = sha256()
    while part := read(1 << 20):
        found.update(part)
    return found.hexdigest()
