"""Ways to write without the head lock, for the race to be lost: each replaces part of the write path in its process.

Nothing of this can be switched on in the product; it shows what the lock is there for, and that its lack is seen.
"""

import time
from collections.abc import Callable, Sequence
from itertools import count
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, insert, text, update

from avow.contracts.leaf import FORMAT
from avow.eventlog import append, appender, database
from avow.eventlog.batch import Head
from avow.eventlog.compose import COLUMNS, Composed
from avow.eventlog.tables import event, log_head

_read_head = append.read_head
_sqlite_engine = database.sqlite_engine

NUMBERED_BY_THE_DATABASE = (
    "CREATE SEQUENCE race_position START 2",
    "CREATE SEQUENCE race_sequence START 2",
    """
    CREATE FUNCTION race_number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.position := nextval('race_position');
        IF NEW.sequence IS NOT NULL THEN NEW.sequence := nextval('race_sequence'); END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER race_numbers BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION race_number()",
)
"""What a column that numbers itself does, on PostgreSQL: every row takes the next number, whenever it is committed."""


def never_locked() -> None:
    """Whoever read the same end of the log writes behind it, and nobody compares."""
    linger = _lingering()

    def insert_behind(connection: Connection, org: str, head: Head, rows: Sequence[Composed], behind: Head) -> bool:
        linger()
        _move(connection, org, behind)
        _insert(connection, org, rows)
        return True

    _replace(append, insert_behind=insert_behind, read_head=_unlocked)
    _replace(appender, swap=_never_at_once)
    _replace(database, sqlite_engine=_deferred)


def released_early() -> None:
    """The lock is let go when the numbers are taken, before the events are in."""
    linger = _lingering()

    def insert_behind(connection: Connection, org: str, head: Head, rows: Sequence[Composed], behind: Head) -> bool:
        _move(connection, org, behind)
        connection.exec_driver_sql("COMMIT")
        linger()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")
        _insert(connection, org, rows)
        return True

    _replace(append, insert_behind=insert_behind)
    _replace(appender, swap=_never_at_once)


def numbered_by_the_database() -> None:
    """Nobody holds anything; the numbers come from the sequences above."""

    linger = _lingering()

    def insert_behind(connection: Connection, org: str, head: Head, rows: Sequence[Composed], behind: Head) -> bool:
        _insert(connection, org, rows)
        linger()
        return True

    _replace(append, insert_behind=insert_behind, read_head=_unlocked)
    _replace(appender, swap=_never_at_once)


SABOTAGE: dict[str, Callable[[], None]] = {
    sabotage.__name__: sabotage for sabotage in (never_locked, released_early, numbered_by_the_database)
}


def prepare(connection: Connection, sabotage: str | None) -> None:
    """Prepare a fresh log for a sabotage."""
    if sabotage == numbered_by_the_database.__name__:
        for statement in NUMBERED_BY_THE_DATABASE:
            connection.execute(text(statement))


def _replace(module: ModuleType, **parts: Callable[..., Any]) -> None:
    for name, part in parts.items():
        setattr(module, name, part)


def _lingering() -> Callable[[], None]:
    """What makes one writer in ten slow enough for others, and the reader, to pass it by."""
    turns = count()
    return lambda: time.sleep(0.15 if next(turns) % 10 == 5 else 0)


def _unlocked(connection: Connection, org: str, lock: bool = False) -> Head | None:
    return _read_head(connection, org)


def _deferred(url: str, begin: str, *others: Any, **named: Any) -> Engine:
    return _sqlite_engine(url, "BEGIN DEFERRED" if begin == "BEGIN IMMEDIATE" else begin, *others, **named)


async def _never_at_once(*_: Any) -> bool:
    """Leave everything to the transaction, which is what a sabotage has replaced."""
    return False


def _move(connection: Connection, org: str, behind: Head) -> None:
    stands = {name: getattr(behind, name) for name in ("position", "sequence", "hash", "recorded_at")}
    connection.execute(update(log_head).where(log_head.c.org == org).values(stands))


def _insert(connection: Connection, org: str, rows: Sequence[Composed]) -> None:
    common = {"org": org, "format": FORMAT}
    connection.execute(insert(event), [common | dict(zip(COLUMNS, row, strict=True)) for row in rows])
