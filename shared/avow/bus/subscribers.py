"""Subscribers: who, beside the operator, may read the feeds of which organisations.

Promises: a token is kept as its SHA-256 alone, and is a random number of 256 bits, so that nothing can be guessed from
what is kept; it opens what is public of the organisations it was made for, and nothing once it is revoked
(tests/integration/test_subscriber_tokens.py).
Limit: each service keeps its own table; `avow subscriber` writes both.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Row, Table, insert, inspect, select, update

from avow.eventlog.columns import Instant, Name
from avow.kernel.ports import Ports

_PREFIX = "sub_"
_FORM = re.compile(r"sub_[A-Za-z0-9_-]{43}")

metadata = MetaData()

subscriber = Table(
    "subscriber",
    metadata,
    Column("name", Name, primary_key=True),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("orgs", Name, nullable=False),
    Column("types", Name, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)


@dataclass(frozen=True)
class Subscriber:
    """Who subscribes to what, and since when, or until when.

    The types say what a queue is bound to; none means all. A token opens the feed of every type.
    """

    name: str
    orgs: tuple[str, ...]
    types: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


def new_token(ports: Ports) -> str:
    """A token nobody has yet."""
    return _PREFIX + base64.urlsafe_b64encode(ports.random_bytes(32)).decode().rstrip("=")


def looks_like_a_token(text: str) -> bool:
    """Whether a text has a token's form; what has not needs no look into a table."""
    return _FORM.fullmatch(text) is not None


def enrol(connection: Connection, who: Subscriber, token: str) -> None:
    """Note a subscriber and the token that opens from now on, in place of what was noted under the name."""
    metadata.create_all(connection)
    connection.execute(subscriber.delete().where(subscriber.c.name == who.name))
    connection.execute(
        insert(subscriber).values(
            name=who.name,
            token_sha256=_digest(token),
            orgs=",".join(who.orgs),
            types=",".join(who.types),
            created_at=who.created_at,
        )
    )


def revoke(connection: Connection, name: str, at: datetime) -> bool:
    """Have the token open nothing any more; False where there is none that does."""
    metadata.create_all(connection)
    standing = subscriber.c.name == name, subscriber.c.revoked_at.is_(None)
    return connection.execute(update(subscriber).where(*standing).values(revoked_at=at)).rowcount == 1


def every(connection: Connection) -> Sequence[Subscriber]:
    """Every subscriber there is or was, by name."""
    if not inspect(connection).has_table(subscriber.name):
        return []
    return [_from(row) for row in connection.execute(select(subscriber).order_by(subscriber.c.name))]


def holder_of(connection: Connection, token: str) -> Subscriber | None:
    """Whose token this is, if it is anybody's and not revoked."""
    query = select(subscriber).where(subscriber.c.token_sha256 == _digest(token), subscriber.c.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else _from(row)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _from(row: Row[Any]) -> Subscriber:
    orgs, types = (tuple(filter(None, text.split(","))) for text in (row.orgs, row.types))
    return Subscriber(row.name, orgs, types, row.created_at, row.revoked_at)
