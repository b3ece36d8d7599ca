"""What a database's failure means for those who wait: it is the database's own, or it is the fault of what was asked.

Promises: what everybody would meet (full, held by another, away) is told from what one caller brought on; and what was
broken off, so that nobody can say whether it took effect, from what was refused (tests/unit/eventlog/test_faults.py).
"""

import sqlite3
from enum import StrEnum

import asyncpg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Fault(StrEnum):
    """A failure of the database, by the code it is answered with."""

    FULL = "log.full"
    BUSY = "log.busy"
    AWAY = "log.unavailable"


class Unanswered(TimeoutError):
    """The database took a statement and gave no answer in time; the connection is given up."""


_SQLITE = {
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    # What the statement itself is wrong about.
    sqlite3.SQLITE_ERROR: None,
}
# By SQLSTATE: the code, then its class.
_POSTGRESQL = {
    "53100": Fault.FULL,
    "55P03": Fault.BUSY,  # lock_not_available
    "40001": Fault.BUSY,  # serialization_failure
    "40P01": Fault.BUSY,  # deadlock_detected
    "57014": Fault.BUSY,  # query_canceled, by a timeout of the server's
    "25006": Fault.AWAY,  # read_only_sql_transaction: the server is a standby now
    "08": Fault.AWAY,  # connection
    "28": Fault.AWAY,  # authorization, while connecting
    "3D": Fault.AWAY,  # no such database
    "53": Fault.AWAY,  # insufficient resources
    "57": Fault.AWAY,  # operator intervention: shutting down, starting up
    "58": Fault.AWAY,  # system error, such as of input and output
    "XX": Fault.AWAY,  # internal error, such as corrupted data
}


def fault_of(error: BaseException) -> Fault | None:
    """Which failure of the database this is; None where what was asked is at fault."""
    if isinstance(error, OSError | PoolTimeout) or in_doubt(error):
        return Fault.AWAY
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    if isinstance(error, OperationalError):
        # The low byte is the kind; what stands above it says more closely where it happened.
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", -1) & 0xFF, Fault.AWAY)
    return Fault.AWAY if isinstance(error, asyncpg.PostgresError) else None


def in_doubt(error: BaseException) -> bool:
    """Whether it was broken off, so that what was written may have been committed or not."""
    return isinstance(error, Unanswered) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def lacks_a_table(error: DBAPIError) -> bool:
    """Whether what was asked for is in a table or view, or a column of one, that is not there."""
    if getattr(error.orig, "sqlstate", None) in ("42P01", "42703"):
        return True
    return isinstance(error, OperationalError) and str(error.orig).startswith(("no such table", "no such column"))
