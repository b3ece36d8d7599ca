"""Which part of the electorate a credential votes in (R-41)."""

from sqlalchemy import Connection, and_, select

from avow_evaluation.domain.electorate import Part
from avow_evaluation.projections.credentials import Credentials, credentials, in_force


def part_of(connection: Connection, org: str, round_id: str, hash_: str) -> Part | None:
    """The part a credential in force votes in; None for any other."""
    known, part = credentials.sql(Credentials.version), in_force.sql(Credentials.version)
    same = and_(
        part.c.org == known.c.org,
        part.c.round_id == known.c.round_id,
        part.c.unit_id == known.c.unit_id,
        part.c.rater_class == known.c.rater_class,
        part.c.generation == known.c.generation,
    )
    query = (
        select(known.c.unit_id, known.c.rater_class)
        .join(part, same)
        .where(known.c.org == org, known.c.round_id == round_id, known.c.hash == hash_)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.unit_id, row.rater_class)
