"""The keys of seals: made here or copied from another service, destroyed for ever.

Promises: once a subject is erased, no key of it is made, kept or used again, whatever is restored or fetched later
(tests/contract/test_seals.py); after the transaction that erases it, the database's files hold the key no more
(tests/contract/test_erasure.py). Whoever makes, keeps or destroys keys holds the organisation's head row meanwhile.
Limit: a copy of the key, the file or the disk from before has it still; docs/adr/0012 says what PostgreSQL keeps.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from avow.eventlog.scrub import scrub_after_commit
from avow.eventlog.tables import KEY_TABLES, erased_subject, seal_key, seal_key_copy

_CHUNK = 500


class KeyDestroyed(Exception):
    """What was to be sealed belongs to a subject that was erased; nothing of the request was written."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} was erased")
        self.subject = subject


def keys_of(connection: Connection, org: str, subjects: Iterable[str], table: Table = seal_key) -> dict[str, bytes]:
    """The keys there are for these subjects, those made here unless another table is named."""
    gone = exists().where(erased_subject.c.org == table.c.org, erased_subject.c.subject == table.c.subject)
    query = select(table.c.subject, table.c.key).where(table.c.org == org, ~gone)
    rows = (row for part in _chunks(subjects) for row in connection.execute(query.where(table.c.subject.in_(part))))
    return {row.subject: row.key for row in rows}


def erased_among(connection: Connection, org: str, subjects: Iterable[str]) -> set[str]:
    """Those of these subjects that were erased."""
    query = select(erased_subject.c.subject).where(erased_subject.c.org == org)
    return {
        subject
        for part in _chunks(subjects)
        for subject in connection.scalars(query.where(erased_subject.c.subject.in_(part)))
    }


def make_keys(connection: Connection, org: str, keys: Mapping[str, bytes], now: Any) -> None:
    """Put new keys in; raises KeyDestroyed for a subject that was erased."""
    for subject in sorted(erased_among(connection, org, keys)):
        raise KeyDestroyed(subject)
    rows = [{"org": org, "subject": subject, "key": key, "created_at": now} for subject, key in keys.items()]
    connection.execute(insert(seal_key), rows)


def keep_copies(connection: Connection, org: str, keys: Mapping[str, bytes]) -> None:
    """Keep another service's keys, but for subjects that were erased meanwhile."""
    gone = erased_among(connection, org, keys)
    rows = [{"org": org, "subject": subject, "key": key} for subject, key in keys.items() if subject not in gone]
    if rows:
        connection.execute(_insert(connection, seal_key_copy).on_conflict_do_nothing(), rows)


def destroy_keys(connection: Connection, org: str, subjects: Iterable[str]) -> int:
    """Erase these subjects: destroy every key of theirs, and let there be none again; how many keys there were."""
    wanted = sorted(set(subjects))
    rows = [{"org": org, "subject": subject} for subject in wanted]
    if not rows:
        return 0
    connection.execute(_insert(connection, erased_subject).on_conflict_do_nothing(), rows)
    destroyed = 0
    for table in KEY_TABLES:
        for part in _chunks(wanted):
            which = table.c.org == org, table.c.subject.in_(part)
            destroyed += connection.execute(delete(table).where(*which)).rowcount
    scrub_after_commit(connection, *(table.name for table in KEY_TABLES))
    return destroyed


def _chunks(subjects: Iterable[str]) -> Iterable[list[str]]:
    wanted = sorted(set(subjects))
    return (wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK))


def _insert(connection: Connection, table: Table) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
