"""Which part of the electorate a credential votes in (R-41)."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, select

from avow_evaluation.domain.electorate import Part
from avow_evaluation.projections.credentials import Credentials, credentials, in_force


def part_of(connection: Connection, org: str, round_id: str, hash_: str) -> Part | None:
    """The part a credential in force votes in; None for any other."""
    row = connection.execute(_in_force(), {"org": org, "round_id": round_id, "hash": hash_}).one_or_none()
    return None if row is None else (row.unit_id, row.rater_class)


@cache
def _in_force() -> Select[Any]:
    # Made once: it is asked for every ballot, and to make it takes longer than to ask it.
    known, part = credentials.sql(Credentials.version), in_force.sql(Credentials.version)
    same = and_(
        part.c.org == known.c.org,
        part.c.round_id == known.c.round_id,
        part.c.unit_id == known.c.unit_id,
        part.c.rater_class == known.c.rater_class,
        part.c.generation == known.c.generation,
    )
    wanted = (known.c[name] == bindparam(name) for name in ("org", "round_id", "hash"))
    return select(known.c.unit_id, known.c.rater_class).join(part, same).where(*wanted)
