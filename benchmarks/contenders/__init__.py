"""Who is measured: this project's log, a library for the same purpose, and the bare driver underneath."""

from benchmarks.contenders.avow import Avow
from benchmarks.contenders.library import Library
from benchmarks.contenders.raw import RawPostgres, RawSqlite

BY_NAME = {"avow": Avow, "library": Library, "raw-postgresql": RawPostgres, "raw-sqlite": RawSqlite}

__all__ = ["BY_NAME", "Avow", "Library", "RawPostgres", "RawSqlite"]
