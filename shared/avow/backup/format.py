"""How a backup of logs looks: a folder with one compressed file a book, and a manifest that is written last.

    manifest.json                   what is in the folder, and the end of each log
    pledge.main.ndjson.gz           a JSON array a line, the columns of `event` in the order of `COLUMNS`

Ids and times are text as they are hashed, `data` and `sealed` are text, other bytes are base64: neither engine shows.
"""

import gzip
import zlib
from binascii import a2b_base64
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError

from avow.audit.rows import MISREAD, EventRow, HeadRow
from avow.backup.problem import Unfit

MANIFEST = "manifest.json"
COLUMNS = EventRow._fields


class Book(BaseModel):
    """One organisation's log in one service: its file, and where the log ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    org: str
    file: str
    sha256: str
    log_id: str
    clock: str
    position: int
    sequence: int
    hash: str
    recorded_at: str

    @property
    def head(self) -> HeadRow:
        """The head row as the database held it."""
        return HeadRow(
            self.log_id, self.service, self.clock, self.position, self.sequence, bytes.fromhex(self.hash),
            self.recorded_at,
        )  # fmt: skip


class Manifest(BaseModel):
    """What a backup holds; a folder without one is no backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    made_at: datetime
    avow: str
    columns: tuple[str, ...] = COLUMNS
    books: tuple[Book, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Any]).decode
_TEXT = [COLUMNS.index(name) for name in ("data", "sealed")]
_BASE64 = [COLUMNS.index(name) for name in ("salt", "leaf", "hash")]


def encode(row: EventRow) -> bytes:
    """A row as a line; a UnicodeDecodeError for data that is no text."""
    said: list[Any] = list(row)
    for place in _TEXT:
        if said[place] is not None:
            said[place] = said[place].decode()
    return _encode(said) + b"\n"


def _row(line: bytes) -> EventRow:
    said = _decode(line)
    for place in _TEXT:
        if said[place] is not None:
            said[place] = said[place].encode()
    for place in _BASE64:
        said[place] = a2b_base64(said[place])
    return EventRow._make(said)


def rows_of(path: Path, book: Book) -> Iterator[EventRow]:
    """Every row of a book's file; raises Unfit where the file is not whole, or not the one the manifest names."""
    try:
        with path.open("rb") as file:
            hashing = _Hashing(file)
            stored = BufferedReader(hashing)
            with gzip.GzipFile(fileobj=stored, mode="rb") as lines:
                yield from map(_row, lines)
            while stored.read(1 << 16):
                continue
    except (OSError, EOFError, zlib.error, *MISREAD) as error:
        raise Unfit("backup.damaged", file=book.file, reason=str(error) or type(error).__name__) from error
    if hashing.sha256.hexdigest() != book.sha256:
        raise Unfit("backup.differs", file=book.file, what="sha256")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; raises Unfit for a folder that is none, or one of another form."""
    try:
        text = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise Unfit("backup.not_a_backup", path=folder, reason=error.strerror or type(error).__name__) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise Unfit("backup.not_a_backup", path=folder, reason=MANIFEST) from error
    if manifest.columns != COLUMNS or any(
        book.file != f"{book.service}.{book.org}.ndjson.gz" or "/" in book.file for book in manifest.books
    ):
        raise Unfit("backup.not_a_backup", path=folder, reason=MANIFEST)
    return manifest


class _Hashing(RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        part = self._file.read(len(view))
        self.sha256.update(part)
        view[: len(part)] = part
        return len(part)
