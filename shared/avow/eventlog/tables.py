"""The tables of the log: created once, never altered.

`event` is append-only: triggers refuse UPDATE, DELETE and, on PostgreSQL, TRUNCATE. `log_head` is the one row per
organisation every append locks, so positions are dense and in commit order. `KEY_TABLES` hold what opens seals and can
be deleted from: a backup of the log leaves them out. `erased_subject` only repeats what the log says. `dead_letter` is
beside the log: what could not be taken in or done, until a person has seen to it (dead_letters.py).

On PostgreSQL `event` may belong to another account than the service's, which then may read and append and nothing
else, whatever it runs (`prepare_log`; tests/integration/test_two_accounts.py). Everything else is the service's own.
"""

from sqlalchemy import (
    Column,
    Connection,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from avow.eventlog.columns import Count, Instant, Name
from avow.eventlog.database import alone

metadata = MetaData()

event = Table(
    "event",
    metadata,
    Column("org", Name, nullable=False),
    Column("position", Count, nullable=False),
    Column("sequence", Count),
    Column("stream", Name, nullable=False),
    Column("version", Count, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Name, nullable=False),
    Column("schema", Count, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("campaign", Name),
    Column("actor", Name),
    Column("on_behalf_of", Name),
    Column("correlation_id", Uuid),
    Column("causation_id", Uuid),
    Column("traceparent", Name),
    Column("late_reason", Name),
    Column("data", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Column("salt", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("format", Count, nullable=False),
    PrimaryKeyConstraint("org", "position"),
    UniqueConstraint("org", "stream", "version"),
    UniqueConstraint("org", "event_id"),
    UniqueConstraint("org", "sequence"),
    Index("event_by_type", "org", "type", "position"),
)

log_head = Table(
    "log_head",
    metadata,
    Column("org", Name, primary_key=True),
    Column("log_id", Uuid, nullable=False),
    Column("service", Name, nullable=False),
    Column("clock", Name, nullable=False),
    Column("position", Count, nullable=False),
    Column("sequence", Count, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

seal_key = Table(
    "seal_key",
    metadata,
    Column("org", Name, primary_key=True),
    Column("subject", Name, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

seal_key_copy = Table(
    "seal_key_copy",
    metadata,
    Column("org", Name, primary_key=True),
    Column("subject", Name, primary_key=True),
    Column("key", LargeBinary, nullable=False),
)
"""Keys that another service made, for the seals imported from it."""

KEY_TABLES = (seal_key, seal_key_copy)

erased_subject = Table(
    "erased_subject",
    metadata,
    Column("org", Name, primary_key=True),
    Column("subject", Name, primary_key=True),
)
"""The subjects whose key was destroyed: none is ever made, kept or used for them again."""

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("org", Name, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("fingerprint", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("reason", Name, nullable=False),
    Column("origin", Name, nullable=False),
    Column("routing_key", Name),
    Column("message_id", Name),
    Column("body", LargeBinary),
    Column("size", Count, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("times", Count, nullable=False),
    Column("settled_at", Instant),
    Column("settled_how", Name),
    Column("settled_why", Name),
    Index("dead_letter_by_fingerprint", "org", "fingerprint"),
)

_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
_SQLITE_GUARDS = (
    f"CREATE TRIGGER IF NOT EXISTS event_is_never_updated BEFORE UPDATE ON event {_REFUSED}",
    f"CREATE TRIGGER IF NOT EXISTS event_is_never_deleted BEFORE DELETE ON event {_REFUSED}",
    # INSERT OR REPLACE deletes what is in its way without asking the trigger above.
    f"""
    CREATE TRIGGER IF NOT EXISTS event_is_never_replaced BEFORE INSERT ON event
    WHEN EXISTS (SELECT 1 FROM event WHERE org = NEW.org AND position = NEW.position)
      OR EXISTS (SELECT 1 FROM event WHERE org = NEW.org AND sequence = NEW.sequence)
      OR EXISTS (SELECT 1 FROM event WHERE org = NEW.org AND event_id = NEW.event_id)
      OR EXISTS (SELECT 1 FROM event WHERE org = NEW.org AND stream = NEW.stream AND version = NEW.version)
    {_REFUSED}
    """,
)

_POSTGRESQL_GUARDS = (
    """
    CREATE OR REPLACE FUNCTION refuse_to_alter_the_log() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'restrict_violation'; END $$
    """,
    """
    CREATE OR REPLACE TRIGGER event_is_never_altered BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_to_alter_the_log()
    """,
    """
    CREATE OR REPLACE TRIGGER event_is_never_truncated BEFORE TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_alter_the_log()
    """,
)


class Unguarded(Exception):
    """The table of events belongs to another account, and its guards are not there: nothing is written to it."""


def create_log(connection: Connection) -> None:
    """Create what is missing of the log's tables and guards; what exists is left as it is.

    Raises Unguarded where the table of events is another account's and can be altered.
    """
    alone(connection)
    metadata.create_all(connection)
    if connection.dialect.name == "sqlite" or _is_ours(connection):
        _guard(connection)
    elif connection.scalar(text(_ENABLED)) != len(_POSTGRESQL_GUARDS) - 1:
        raise Unguarded


def prepare_log(connection: Connection, account: str) -> None:
    """Create the table of events and its guards, as whoever owns them, and let an account read and append.

    Raises the database's error where there is no such account, or the table is another's. For PostgreSQL.
    """
    alone(connection)
    event.create(connection, checkfirst=True)
    _guard(connection)
    name = connection.dialect.identifier_preparer.quote(account)
    connection.execute(text(f"REVOKE ALL ON event FROM {name}"))
    connection.execute(text(f"GRANT SELECT, INSERT ON event TO {name}"))


def _guard(connection: Connection) -> None:
    for statement in _SQLITE_GUARDS if connection.dialect.name == "sqlite" else _POSTGRESQL_GUARDS:
        connection.execute(text(statement))


_OURS = "SELECT pg_catalog.pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = 'event'::regclass"
_ENABLED = """
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'event'::regclass AND tgenabled IN ('O', 'A')
AND tgname IN ('event_is_never_altered', 'event_is_never_truncated')
"""


def _is_ours(connection: Connection) -> bool:
    return bool(connection.scalar(text(_OURS)))
