"""A store: SQLite in memory, synchronous, as one service's database that outlives its processes.

Promises: transactions are the production ones (`sqlite_engine`), at one moment of the loop each; after every commit it
is looked whether the relay's checkpoint ran ahead of the broker. An engine is made once a process of the machine, so
that a thousand seeds compile their statements once; each simulation begins with an empty log of its own.
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from avow.bus import place
from avow.eventlog.database import sqlite_engine
from avow.eventlog.scrub import empty_the_wal
from avow.eventlog.tables import create_log
from avow.projections.projection import Projection
from avow.projections.projector import create_views

T = TypeVar("T")


class Store:
    """The database of one service; `written` is called after each commit."""

    def __init__(self, service: str, projections: Sequence[Projection]) -> None:
        names = tuple(projection.name for projection in projections)
        self._engine, empty = _empty(service, names, tuple(projections))
        # A new connection each time: statements that were prepared for another database have crashed the driver.
        self._engine.dispose()
        empty.backup(driver(self._engine))
        self.written: Callable[[], None] = lambda: None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction of its own."""
        with self._engine.connect() as connection, connection.begin():
            return work(connection)

    def write(self, work: Callable[[Connection], T], before_commit: Callable[[], None] = lambda: None) -> T:
        """The same, committed; what `before_commit` raises rolls it back."""
        with self._engine.connect() as connection:
            with connection.begin():
                result = work(connection)
                before_commit()
            empty_the_wal(connection)
        self.written()
        return result

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the driver itself says, between two transactions."""
        rows: list[tuple[Any, ...]] = driver(self._engine).execute(query, values).fetchall()
        return rows


@cache
def _empty(
    service: str, names: tuple[str, ...], projections: tuple[Projection, ...]
) -> tuple[Engine, sqlite3.Connection]:
    """An engine, and a database beside it that has every table and nothing in them."""
    engine = sqlite_engine("sqlite://", "BEGIN IMMEDIATE", shared=True)
    with engine.connect() as connection, connection.begin():
        create_log(connection)
        place.metadata.create_all(connection)
        create_views(connection, projections)
    empty = sqlite3.connect(":memory:", check_same_thread=False)
    driver(engine).backup(empty)
    return engine, empty


def driver(engine: Engine) -> Any:
    """The one connection of an engine, as the driver has it."""
    with engine.connect() as connection:
        return connection.connection.driver_connection
