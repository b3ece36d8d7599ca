"""Both sides of an import, read alike: the importer's copies by the source's sequence, and the source's own lines.

A value of a kind the log never writes is passed over here; the verdict on its own log names it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, cast, func, select

from avow.audit.rows import MISREAD
from avow.contracts import envelope
from avow.eventlog import reading
from avow.eventlog.records import IMPORT
from avow.eventlog.tables import event

PAGE = 1000


class Copy(NamedTuple):
    """A line an importer keeps: its position there and its sequence at the source."""

    position: int
    sequence: int
    line: bytes


def import_streams(connection: Connection, org: str) -> list[str]:
    """The streams that hold imports, one a source."""
    below = event.c.stream >= IMPORT, event.c.stream < IMPORT[:-1] + chr(ord(IMPORT[-1]) + 1)
    return sorted(connection.scalars(select(event.c.stream).distinct().where(event.c.org == org, *below)))


def copies(connection: Connection, org: str, stream: str, after: int, limit: int = PAGE) -> list[Copy]:
    """Up to `limit` copies behind a sequence, in their order."""
    query = (
        select(event.c.position, event.c.version, event.c.data)
        .where(event.c.org == org, event.c.stream == stream, event.c.version > after)
        .order_by(event.c.version)
        .limit(limit)
    )
    rows = connection.execute(query)
    return [Copy(*row) for row in rows if isinstance(row.position, int) and isinstance(row.version, int)]


def last_copy(connection: Connection, org: str, stream: str) -> Copy | None:
    """The copy with the highest sequence."""
    last = select(func.max(event.c.version)).where(event.c.org == org, event.c.stream == stream)
    found = copies(connection, org, stream, (connection.scalar(last) or 1) - 1, 1)
    return found[0] if found else None


def public_end(connection: Connection, org: str) -> int:
    """The last sequence a log has, by its rows and not by its head row."""
    return connection.scalar(select(cast(func.max(event.c.sequence), BigInteger)).where(event.c.org == org)) or 0


def lines(connection: Connection, org: str, sequences: Sequence[int]) -> dict[int, bytes]:
    """The feed lines of a log, encoded from its rows; of a row that cannot be read as an event, no bytes."""
    if not sequences:
        return {}
    after, upto = sequences[0] - 1, sequences[-1]
    try:
        found = reading.envelopes(connection, org, after, upto, None, upto - after)
        return {said.sequence: envelope.encode(said) for said in found}
    except MISREAD:
        if len(sequences) == 1:
            return {upto: b""}
    return {number: line for one in sequences for number, line in lines(connection, org, [one]).items()}
