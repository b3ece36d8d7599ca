"""The keys of seals, backed up by themselves and restored into the books they belong to.

    {"format":1,"made_at":"…","avow":"…","books":[{"service":"pledge","org":"main","log_id":"…","keys":42}]}
    {"service":"pledge","org":"main","subject":"person/…","key":"…","created_at":"…"}        a line a key
    {"keys":42,"sha256":"…"}                                                     of the lines between

Promises: no key comes back whose subject an event in any of the logs says is erased; a key that was made since is
kept; all keys of a service come in one transaction, or none (tests/contract/test_backup_keys.py).
Limit: an erasure later than every log at hand is not known here: docs/guides/backup.md says how long to
keep such files.
"""

import os
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, insert, inspect, select

from avow.backup.problem import Unfit
from avow.eventlog.append import read_head
from avow.eventlog.keys import erased_among, keys_of
from avow.eventlog.tables import seal_key

_PAGE = 500


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Keyring(_Said):
    """The keys of one organisation in one service."""

    service: str
    org: str
    log_id: str
    keys: int


class KeysManifest(_Said):
    """The first line: whose keys these are."""

    format: Literal[1] = 1
    made_at: datetime
    avow: str
    books: tuple[Keyring, ...]


class Key(_Said):
    """A line between: one key."""

    service: str
    org: str
    subject: str
    key: Base64Bytes
    created_at: datetime


class KeysEnd(_Said):
    """The last line; a file without it was cut off."""

    keys: int
    sha256: str


@dataclass(frozen=True)
class Restored:
    """What became of a backup's keys: put back, there already, left out as erased, or another made since and kept."""

    restored: int = 0
    present: int = 0
    erased: int = 0
    superseded: int = 0

    def __add__(self, other: "Restored") -> "Restored":
        return Restored(
            self.restored + other.restored,
            self.present + other.present,
            self.erased + other.erased,
            self.superseded + other.superseded,
        )


def keys_in(connection: Connection, service: str) -> tuple[list[Keyring], list[Key]]:
    """Every key a service holds, and whose they are."""
    if not inspect(connection).has_table(seal_key.name):
        return [], []
    keys = [
        Key(service=service, org=row.org, subject=row.subject, key=b64encode(row.key), created_at=row.created_at)
        for row in connection.execute(select(seal_key).order_by(seal_key.c.org, seal_key.c.subject))
    ]
    rings = []
    for org in sorted({key.org for key in keys}):
        head = read_head(connection, org)
        if head is None:
            raise Unfit("keys.no_book", service=service, org=org, log_id="-")
        count = sum(key.org == org for key in keys)
        rings.append(Keyring(service=service, org=org, log_id=str(head.log_id), keys=count))
    return rings, keys


def write_keys(path: Path, manifest: KeysManifest, keys: Iterable[Key]) -> None:
    """Write the whole file at `path`, which is there and empty."""
    lines = [key.model_dump_json().encode() + b"\n" for key in keys]
    end = KeysEnd(keys=len(lines), sha256=sha256(b"".join(lines)).hexdigest())
    with path.open("wb") as file:
        file.writelines([manifest.model_dump_json().encode() + b"\n", *lines, end.model_dump_json().encode() + b"\n"])
        file.flush()
        os.fsync(file.fileno())


def read_keys(path: Path) -> tuple[KeysManifest, list[Key]]:
    """What a backup of keys holds; raises Unfit for a file that is none, or not whole."""
    try:
        first, *lines, last = path.read_bytes().splitlines(keepends=True)
        manifest, end = KeysManifest.model_validate_json(first), KeysEnd.model_validate_json(last)
        keys = [Key.model_validate_json(line) for line in lines]
    except OSError as error:
        raise Unfit("keys.not_a_backup", path=path, reason=error.strerror or type(error).__name__) from error
    except (ValidationError, ValueError) as error:
        # What the validator says would quote the key.
        raise Unfit("keys.not_a_backup", path=path, reason="form") from error
    if end.keys != len(keys) or end.sha256 != sha256(b"".join(lines)).hexdigest():
        raise Unfit("keys.not_a_backup", path=path, reason="sha256")
    return manifest, keys


def require_books(connection: Connection, rings: Iterable[Keyring]) -> None:
    """Raises Unfit unless every one of these books is here, with the log the keys were made for."""
    logs = inspect(connection).has_table("log_head")
    for ring in rings:
        head = read_head(connection, ring.org) if logs else None
        if head is None or str(head.log_id) != ring.log_id:
            raise Unfit("keys.no_book", service=ring.service, org=ring.org, log_id=ring.log_id)


def restore_keys(
    connection: Connection, rings: Iterable[Keyring], keys: Iterable[Key], erased: Iterable[tuple[str, str]]
) -> Restored:
    """Put back the keys that may come back; `erased` are organisation and subject of those that may not."""
    require_books(connection, rings)
    gone = set(erased)
    done = Restored()
    for org, page in _pages(keys):
        held = keys_of(connection, org, (key.subject for key in page))
        gone.update((org, subject) for subject in erased_among(connection, org, (key.subject for key in page)))
        back = []
        for key in page:
            if (org, key.subject) in gone:
                done += Restored(erased=1)
            elif key.subject not in held:
                back.append({"org": org, "subject": key.subject, "key": key.key, "created_at": key.created_at})
            elif held[key.subject] == key.key:
                done += Restored(present=1)
            else:
                done += Restored(superseded=1)
        if back:
            connection.execute(insert(seal_key), back)
        done += Restored(restored=len(back))
    return done


def _pages(keys: Iterable[Key]) -> Iterator[tuple[str, list[Key]]]:
    by_org: dict[str, list[Key]] = {}
    for key in keys:
        by_org.setdefault(key.org, []).append(key)
    for org, all_keys in by_org.items():
        for start in range(0, len(all_keys), _PAGE):
            yield org, all_keys[start : start + _PAGE]
