"""Dead letters: what could not be taken in or done, kept beside the log until a person has seen to it.

Letters with one cause are one group, whose fingerprint is computed from the kind, the reason, the origin and the shape
of the body. Promises: of a group at most `KEPT` bodies are held, each up to `LARGEST` bytes, and what comes beyond that
is counted; whoever is erased is erased here too, whether the letter came before or after; a settled letter keeps no
body (tests/contract/test_dead_letters.py).
Limit: a body that tells of a person without their id is not found by that; it stays until the letter is settled.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from avow.contracts.envelope import attributes
from avow.eventlog.keys import erased_among
from avow.eventlog.scrub import scrub_after_commit
from avow.eventlog.tables import dead_letter, log_head

Kind = Literal["garbage", "reaction"]
Settled = Literal["retried", "discarded"]

KEPT = 20
LARGEST = 65_536
PREFIX = 8
"""The fewest characters a fingerprint or an id may be shortened to."""
_PERSON = "person/"
_AN_ID = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Letter:
    """One thing that could not be taken in or done; `origin` is the queue it came by, or the reaction it is about."""

    kind: Kind
    reason: str
    origin: str
    body: bytes | None = None
    routing_key: str | None = None
    message_id: str | None = None
    """Of garbage the message's; of a reaction the id of its cause."""

    def fingerprint(self, org: str) -> str:
        """The same for all letters of an organisation that have this cause."""
        said = (org, self.kind, self.reason, self.origin, _shape(self.body))
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


@dataclass(frozen=True)
class Group:
    """The letters of one cause that are open, or were settled in one way; `bodies` of them still have theirs."""

    org: str
    fingerprint: str
    kind: Kind
    reason: str
    origin: str
    settled: Settled | None
    letters: int
    bodies: int
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Kept:
    """A letter as it is kept; `size` is how long the body was before anything was cut off."""

    org: str
    id: UUID
    fingerprint: str
    kind: Kind
    reason: str
    origin: str
    routing_key: str | None
    message_id: str | None
    body: bytes | None
    size: int
    first_at: datetime
    last_at: datetime
    times: int
    settled_at: datetime | None
    settled_how: Settled | None
    settled_why: str | None

    @property
    def whole(self) -> bool:
        """Whether the body is here, from beginning to end."""
        return self.body is not None and len(self.body) == self.size


def record(
    connection: Connection, org: str, letters: Iterable[Letter], now: datetime, new_id: Callable[[], UUID]
) -> None:
    """Keep letters, or count them where the like is kept already."""
    # Whoever erases holds the head too, so that nothing slips in beside an erasure.
    connection.execute(select(log_head.c.org).where(log_head.c.org == org).with_for_update())
    by_cause: dict[str, list[Letter]] = {}
    for letter in letters:
        by_cause.setdefault(letter.fingerprint(org), []).append(letter)
    for fingerprint, like in by_cause.items():
        bodies = _without_the_erased(connection, org, [letter.body for letter in like])
        held = _held(connection, org, fingerprint)
        fresh: dict[UUID, dict[str, Any]] = {}
        again: Counter[UUID] = Counter()
        for letter, body in zip(like, bodies, strict=True):
            key = letter.message_id if letter.kind == "reaction" else (len(letter.body or b""), body)
            if key not in held and (letter.kind == "reaction" or len(held) < KEPT):
                held[key] = id_ = new_id()
                fresh[id_] = {
                    "org": org, "id": id_, "fingerprint": fingerprint, "kind": letter.kind, "reason": letter.reason,
                    "origin": letter.origin, "routing_key": letter.routing_key, "message_id": letter.message_id,
                    "body": body, "size": len(letter.body or b""), "first_at": now, "last_at": now, "times": 0,
                }  # fmt: skip
            again[held.get(key) or next(iter(held.values()))] += 1
        if fresh:
            connection.execute(insert(dead_letter), list(fresh.values()))
        for id_, times in again.items():
            counted = {"times": dead_letter.c.times + times, "last_at": now}
            connection.execute(
                update(dead_letter).where(dead_letter.c.org == org, dead_letter.c.id == id_).values(counted)
            )


def groups(
    connection: Connection, org: str | None = None, kind: Kind | None = None, settled_too: bool = False
) -> list[Group]:
    """The groups there are, the one heard of last first."""
    table = dead_letter.c
    which: list[ColumnElement[bool]] = [] if settled_too else [table.settled_at.is_(None)]
    which += [] if org is None else [table.org == org]
    which += [] if kind is None else [table.kind == kind]
    of = (table.org, table.fingerprint, table.kind, table.reason, table.origin, table.settled_how)
    heard = func.max(table.last_at)
    counted = (func.count(), func.count(table.body), func.sum(table.times), func.min(table.first_at), heard)
    rows = connection.execute(
        select(*of, *counted).where(*which).group_by(*of).order_by(heard.desc(), table.fingerprint)
    )
    # PostgreSQL's sum of whole numbers is a Decimal.
    return [Group(*(*row[:8], int(row[8]), *row[9:])) for row in rows]


def find(connection: Connection, fingerprint: str, org: str | None = None) -> list[Kept]:
    """The open letters of the groups whose fingerprint begins like this, the oldest first."""
    which = [dead_letter.c.settled_at.is_(None), dead_letter.c.fingerprint.startswith(fingerprint, autoescape=True)]
    which += [] if org is None else [dead_letter.c.org == org]
    order = dead_letter.c.org, dead_letter.c.first_at, dead_letter.c.id
    return [Kept(*row) for row in connection.execute(select(*_COLUMNS).where(*which).order_by(*order))]


def show(connection: Connection, prefix: str) -> list[Kept]:
    """The letters whose id, or whose fingerprint, begins like this, settled ones too."""
    order = dead_letter.c.org, dead_letter.c.first_at, dead_letter.c.id
    every = connection.execute(select(dead_letter.c.org, dead_letter.c.id, dead_letter.c.fingerprint).order_by(*order))
    chosen = [
        (org, id_) for org, id_, fingerprint in every if str(id_).startswith(prefix) or fingerprint.startswith(prefix)
    ]
    query = select(*_COLUMNS)
    return [
        Kept(*connection.execute(query.where(dead_letter.c.org == org, dead_letter.c.id == id_)).one())
        for org, id_ in chosen
    ]


def settle(connection: Connection, org: str, ids: Iterable[UUID], how: Settled, why: str, now: datetime) -> int:
    """Note that letters are seen to, how and why, and drop what they held; how many were open until now."""
    done = {"settled_at": now, "settled_how": how, "settled_why": why, "body": None}
    count = 0
    for id_ in ids:
        which = dead_letter.c.org == org, dead_letter.c.id == id_, dead_letter.c.settled_at.is_(None)
        count += connection.execute(update(dead_letter).where(*which).values(done)).rowcount
    if count:
        scrub_after_commit(connection, dead_letter.name)
    return count


def laid_aside(connection: Connection, org: str, reaction: str, cause: UUID) -> bool:
    """Whether a reaction to a cause waits for a person."""
    which = (
        dead_letter.c.org == org, dead_letter.c.kind == "reaction", dead_letter.c.origin == reaction,
        dead_letter.c.message_id == str(cause), dead_letter.c.settled_at.is_(None),
    )  # fmt: skip
    return connection.execute(select(dead_letter.c.id).where(*which).limit(1)).first() is not None


def forget(connection: Connection, org: str, subjects: Sequence[str]) -> None:
    """Drop every body that names one of these subjects."""
    if not subjects:
        return
    gone = {subject.rpartition("/")[2] for subject in subjects}
    held = select(dead_letter.c.id, dead_letter.c.body).where(dead_letter.c.org == org, dead_letter.c.body.is_not(None))
    naming = [row.id for row in connection.execute(held) if not gone.isdisjoint(_ids_in(row.body))]
    for id_ in naming:
        which = dead_letter.c.org == org, dead_letter.c.id == id_
        connection.execute(update(dead_letter).where(*which).values(body=None))
    if naming:
        scrub_after_commit(connection, dead_letter.name)


_COLUMNS = tuple(dead_letter.c[name] for name in Kept.__dataclass_fields__)


def _held(connection: Connection, org: str, fingerprint: str) -> dict[Any, UUID]:
    """The open letters of a group, the oldest first: of garbage by what it holds, of a reaction by its cause."""
    table = dead_letter.c
    query = select(table.id, table.kind, table.message_id, table.size, table.body).where(
        table.org == org, table.fingerprint == fingerprint, table.settled_at.is_(None)
    )
    rows = connection.execute(query.order_by(table.first_at, table.id)).all()
    return {row.message_id if row.kind == "reaction" else (row.size, row.body): row.id for row in rows}


def _without_the_erased(connection: Connection, org: str, bodies: Sequence[bytes | None]) -> list[bytes | None]:
    """The beginning of each body, but for those that name somebody who was erased."""
    kept = [None if body is None else body[:LARGEST] for body in bodies]
    named = [set() if body is None else {f"{_PERSON}{id_}" for id_ in _ids_in(body)} for body in kept]
    gone = erased_among(connection, org, set().union(*named))
    return [body if gone.isdisjoint(names) else None for body, names in zip(kept, named, strict=True)]


def _ids_in(body: bytes) -> set[str]:
    """Every id a body may mean, as this project writes ids."""
    return {str(UUID(found.decode())) for found in _AN_ID.findall(body)}


def _shape(body: bytes | None) -> str:
    """What a body looks like, of which there are few: which of an event's attributes it has, if any."""
    if body is None:
        return "none"
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "no JSON"
    return " ".join(sorted(attributes() & said.keys())) if isinstance(said, dict) else type(said).__name__
