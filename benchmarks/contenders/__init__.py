"""Who is measured: this project's log, a library for the same purpose, and the bare driver underneath."""

from collections.abc import Callable, Mapping
from typing import Protocol

from benchmarks.contenders.avow import Avow
from benchmarks.contenders.library import Library
from benchmarks.contenders.raw import RawPostgres, RawSqlite


class Writer(Protocol):
    """Whoever can be asked to append."""

    def append(self, callers: int, seconds: float) -> float: ...

    def close(self) -> None: ...


BY_NAME: Mapping[str, Callable[[str], Writer]] = {
    "avow": Avow,
    "library": Library,
    "raw-postgresql": RawPostgres,
    "raw-sqlite": RawSqlite,
}

__all__ = ["BY_NAME", "Avow", "Library", "RawPostgres", "RawSqlite", "Writer"]
