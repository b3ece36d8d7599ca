"""Who is scored: the units and the members there are at a moment, in which category (R-49, R-61).

Promises: a unit is scored if it stands at the moment and belongs to a category, a member if they are a member of such a
unit then. Limit: of the register and of the mergers as far as they are known here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from avow.contracts.organisation import Standing
from avow.programme.vocabulary import Subject
from avow.register.projection import Register, memberships, roles, units
from avow_evaluation.projections.evidence import Evidence, mergers


@dataclass(frozen=True)
class Known:
    """A subject, the unit it is or belongs to, and the unit's category; `standing` is a member's."""

    subject_id: str
    unit_id: str
    category: str
    standing: Standing | None = None


def subjects_at(connection: Connection, org: str, subject: Subject, at: datetime) -> list[Known]:
    """The subjects of a kind at a moment, in the order of their identities."""
    categories = _units(connection, org, at)
    if subject == "unit":
        return [Known(unit_id, unit_id, category) for unit_id, category in sorted(categories.items())]
    sql = memberships.sql(Register.version)
    holds = sql.c.since <= at, sql.c.until.is_(None) | (sql.c.until > at)
    query = select(sql).where(sql.c.org == org, *holds).order_by(sql.c.person_id, sql.c.since)
    rows = [row for row in connection.execute(query) if row.unit_id in categories]
    # Whoever is a member of two units is scored once, where they came last.
    last = {row.person_id: row for row in rows}
    return [Known(key, row.unit_id, categories[row.unit_id], row.standing) for key, row in sorted(last.items())]


def leaders_at(connection: Connection, org: str, wanted: Sequence[str], at: datetime) -> frozenset[str]:
    """Who holds one of these roles at a moment."""
    sql = roles.sql(Register.version)
    holds = sql.c.since <= at, sql.c.until.is_(None) | (sql.c.until > at)
    query = select(sql.c.person_id).where(sql.c.org == org, sql.c.role.in_(wanted), *holds)
    return frozenset(connection.scalars(query))


def unit_names(connection: Connection, org: str, unit_ids: Iterable[str]) -> dict[str, str]:
    """The names of units."""
    sql = units.sql(Register.version)
    query = select(sql.c.unit_id, sql.c.name).where(sql.c.org == org, sql.c.unit_id.in_(sorted(set(unit_ids))))
    return {row.unit_id: row.name for row in connection.execute(query)}


def _units(connection: Connection, org: str, at: datetime) -> dict[str, str]:
    """The units that stand at a moment and belong to a category, with it."""
    sql, gone = units.sql(Register.version), mergers.sql(Evidence.version)
    merged = select(gone.c.unit_id).where(gone.c.org == org, gone.c.since <= at)
    query = select(sql.c.unit_id, sql.c.category).where(
        sql.c.org == org, sql.c.category.is_not(None), sql.c.since <= at, sql.c.unit_id.not_in(merged)
    )
    return {row.unit_id: row.category for row in connection.execute(query)}
