"""The people as both services show them: the one place where names are read (R-06).

Promises: a name is opened here and nowhere kept; an erased one reads 「已删除 / erased」, and one whose key has not
come to this service is null.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import ColumnElement, Connection, RowMapping, exists, literal, select

from avow.eventlog.seals import ERASED, open_seals
from avow.eventlog.tables import erased_subject, seal_key_copy
from avow.kernel.seal import Seal
from avow.projections.listing import Listed
from avow.register.projection import Register, people

_CHUNK = 500


class PersonEntry(BaseModel):
    """A person."""

    model_config = ConfigDict(frozen=True)

    person_id: str
    name: str | None = Field(
        description="「已删除 / erased」 once the person was erased; null where the key is not in this service yet.",
        repr=False,
    )
    since: datetime
    erased_at: datetime | None


@dataclass(frozen=True)
class PeopleWanted:
    """Which people are asked for."""

    erased: bool | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[PersonEntry]:
    opened = open_seals(connection, org, (row["name"] for row in rows if row["name"] is not None))
    return [
        PersonEntry(
            person_id=row["person_id"],
            name=ERASED if row["name"] is None else _text(opened[row["name"]]),
            since=row["since"],
            erased_at=row["erased_at"],
        )
        for row in rows
    ]


def _wanted(columns: Any, wanted: PeopleWanted) -> list[ColumnElement[bool]]:
    gone = columns["erased_at"]
    return [] if wanted.erased is None else [gone.is_not(None) if wanted.erased else gone.is_(None)]


PEOPLE = Listed(
    name="people",
    projections=(Register.name,),
    entry=PersonEntry,
    query=select(people.sql(Register.version)),
    keys=("person_id",),
    order="person_id",
    sorts=("since", "erased_at"),
    shown=_shown,
    conditions=_wanted,
)


def names_of(connection: Connection, org: str, person_ids: Iterable[str | None]) -> dict[str, str | None]:
    """The names of these people, as `PersonEntry` has them; of one the register does not know, nothing."""
    sql = people.sql(Register.version)
    found: dict[str, Seal | None] = {}
    wanted = sorted({person_id for person_id in person_ids if person_id is not None})
    for start in range(0, len(wanted), _CHUNK):
        chunk = sql.c.person_id.in_(wanted[start : start + _CHUNK])
        query = select(sql.c.person_id, sql.c.name).where(sql.c.org == org, chunk)
        found.update((row.person_id, row.name) for row in connection.execute(query))
    opened = open_seals(connection, org, (name for name in found.values() if name is not None))
    return {person_id: ERASED if name is None else _text(opened[name]) for person_id, name in found.items()}


def people_without_keys(connection: Connection, org: str, after: str, limit: int) -> list[str]:
    """The key subjects of people whose name this service has heard of and cannot open, behind `after`, in order."""
    sql = people.sql(Register.version)
    subject = literal("person/").concat(sql.c.person_id)
    here = exists().where(seal_key_copy.c.org == org, seal_key_copy.c.subject == subject)
    gone = exists().where(erased_subject.c.org == org, erased_subject.c.subject == subject)
    query = select(subject).where(sql.c.org == org, subject > after, sql.c.erased_at.is_(None), ~here, ~gone)
    return list(connection.scalars(query.order_by(sql.c.person_id).limit(limit)))


def _text(opened: JsonValue) -> str | None:
    return None if opened is None else str(opened)
