"""A failure of the database is told from a request that is at fault, and from a broken connection."""

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from avow.eventlog.faults import Fault, Unanswered, fault_of, in_doubt


def of_sqlite(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("as SQLite says it")
    cause.sqlite_errorcode = code
    return OperationalError("INSERT", None, cause)


def of_postgresql(cause: asyncpg.PostgresError) -> DBAPIError:
    return DBAPIError("INSERT", None, cause)


LOST = DBAPIError("COMMIT", None, Exception("the connection was closed"), connection_invalidated=True)
FAILURES = [
    (of_sqlite(sqlite3.SQLITE_FULL), Fault.FULL),
    (of_sqlite(sqlite3.SQLITE_BUSY), Fault.BUSY),
    (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Fault.BUSY),
    (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), Fault.AWAY),
    (of_sqlite(sqlite3.SQLITE_READONLY), Fault.AWAY),
    (of_postgresql(asyncpg.DiskFullError()), Fault.FULL),
    (of_postgresql(asyncpg.LockNotAvailableError()), Fault.BUSY),
    (of_postgresql(asyncpg.DeadlockDetectedError()), Fault.BUSY),
    (of_postgresql(asyncpg.ReadOnlySQLTransactionError()), Fault.AWAY),
    (of_postgresql(asyncpg.AdminShutdownError()), Fault.AWAY),
    (asyncpg.CannotConnectNowError(), Fault.AWAY),
    (asyncpg.TooManyConnectionsError(), Fault.AWAY),
    (ConnectionRefusedError(), Fault.AWAY),
    (PoolTimeout(), Fault.AWAY),
    (Unanswered(), Fault.AWAY),
    (LOST, Fault.AWAY),
]
FAULTS_OF_WHAT_WAS_ASKED = [
    of_sqlite(sqlite3.SQLITE_ERROR),
    of_postgresql(asyncpg.UntranslatableCharacterError()),
    of_postgresql(asyncpg.UndefinedTableError()),
    IntegrityError("INSERT", None, asyncpg.UniqueViolationError()),
    IntegrityError("INSERT", None, sqlite3.IntegrityError()),
    InterfaceError("INSERT", None, asyncpg.DataError("value out of range")),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ZeroDivisionError(),
]


@pytest.mark.parametrize(("error", "fault"), FAILURES)
def test_a_failure_of_the_database_is_known_by_its_kind(error: Exception, fault: Fault) -> None:
    assert fault_of(error) is fault


@pytest.mark.parametrize("error", FAULTS_OF_WHAT_WAS_ASKED)
def test_what_was_asked_is_at_fault_where_the_database_is_not(error: Exception) -> None:
    assert fault_of(error) is None


def test_only_what_was_broken_off_is_in_doubt() -> None:
    assert [error for error, _ in FAILURES if in_doubt(error)] == [FAILURES[-2][0], LOST]
