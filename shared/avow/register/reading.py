"""Asking the register: what a decision needs to know about units, persons and roles on a day.

Promises: every answer but those that list or count who is there notes, in `expect`, the version of each stream it rests
on, so that what was read cannot change under the decision. Rights are held now; roles said to have been held are held
on the day of the matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, Text, select, type_coerce

from avow.kernel.refusal import require
from avow.programme import ProgrammeTemplate
from avow.projections.projection import ViewTable
from avow.register.projection import Register, campaigns, memberships, people, roles, units

OPERATOR = None
OFFICE = ("office_director", "office_staff")
SECRETARY = "secretary"


@dataclass(frozen=True)
class Campaign:
    """An approved campaign: its days, both included, and its programme."""

    campaign_id: str
    starts_on: date
    ends_on: date | None
    programme: ProgrammeTemplate

    def includes(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class Unit:
    """A unit of the organisation."""

    unit_id: str
    kind: str
    category: str | None
    parent_id: str | None
    since: datetime
    until: datetime | None = None
    """When it went into another unit."""
    merged_into: str | None = None

    def stands(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True)
class Membership:
    """A person's membership of a unit."""

    person_id: str
    unit_id: str
    since: datetime
    until: datetime | None


@dataclass
class RegisterReader:
    """Reads the register of one organisation in one snapshot, noting what it rests on."""

    connection: Connection
    org: str
    expect: dict[str, int] = field(default_factory=dict)

    def campaign(self, campaign_id: str, at: str = "campaign_id") -> Campaign:
        """An approved campaign; refuses an unknown one (R-01)."""
        sql = campaigns.sql(Register.version)
        # As text: a programme is long, and it is read for nearly every command.
        query = select(sql.c.version, sql.c.starts_on, sql.c.ends_on, type_coerce(sql.c.programme, Text).label("text"))
        row = self.connection.execute(query.where(sql.c.org == self.org, sql.c.campaign_id == campaign_id)).first()
        require(row is not None, "campaign.unknown", at)
        assert row is not None
        self.expect[f"campaign/{campaign_id}"] = row.version
        return Campaign(campaign_id, row.starts_on, row.ends_on, _programme(row.text))

    def unit(self, unit_id: str, at: str = "unit_id") -> Unit:
        """A registered unit; refuses an unknown one."""
        sql = units.sql(Register.version)
        row = self.connection.execute(select(sql).where(sql.c.org == self.org, sql.c.unit_id == unit_id)).first()
        require(row is not None, "unit.unknown", at)
        assert row is not None
        self.expect[f"unit/{unit_id}"] = row.version
        return Unit(unit_id, row.kind, row.category, row.parent_id, row.since, row.until, row.merged_into)

    def unit_then(self, unit_id: str, moment: datetime, at: str = "unit_id") -> Unit:
        """A unit that stood at a moment; refuses an unknown one, one that is younger, and one that was merged."""
        unit = self.unit(unit_id, at)
        require(unit.since <= moment, "unit.not_yet", at)
        require(unit.stands(moment), "unit.no_longer", at)
        return unit

    def heir(self, unit_id: str, moment: datetime, at: str = "unit_id") -> Unit:
        """The unit that answers at a moment for what a unit once did: itself, or the one it went into."""
        unit = self.unit(unit_id, at)
        while unit.merged_into is not None and unit.until is not None and unit.until <= moment:
            unit = self.unit(unit.merged_into, at)
        return unit

    def person(
        self, person_id: str, at: str = "person_id", code: str = "person.unknown", even_erased: bool = False
    ) -> None:
        """Refuses an unknown person, and one who was erased unless what is asked only ends something."""
        sql = people.sql(Register.version)
        row = self.connection.execute(select(sql).where(sql.c.org == self.org, sql.c.person_id == person_id)).first()
        require(row is not None, code, at)
        assert row is not None
        require(even_erased or row.erased_at is None, "person.erased", at)
        self.expect[f"person/{person_id}"] = row.version

    def members(self, unit_id: str, at: datetime) -> list[str]:
        """The persons who are members of a unit at a moment, in the order of their identities; notes nothing."""
        sql = memberships.sql(Register.version)
        query = select(sql.c.person_id).where(sql.c.org == self.org, sql.c.unit_id == unit_id, *_holds(memberships, at))
        return sorted(set(self.connection.scalars(query)))

    def still_in(self, unit_id: str, moment: datetime) -> tuple[int, list[str]]:
        """How many are members of a unit at a moment or later, and which roles are held in it; notes nothing."""
        found = []
        for view, name in ((memberships, "person_id"), (roles, "role")):
            sql = view.sql(Register.version)
            ongoing = sql.c.until.is_(None) | (sql.c.until > moment)
            query = select(sql.c[name]).where(sql.c.org == self.org, sql.c.unit_id == unit_id, ongoing)
            found.append(sorted(set(self.connection.scalars(query))))
        return len(found[0]), found[1]

    def units_below(self, unit_id: str, moment: datetime) -> int:
        """How many units stand right below a unit at a moment or later; notes nothing."""
        sql = units.sql(Register.version)
        stands = sql.c.until.is_(None) | (sql.c.until > moment)
        query = select(sql.c.unit_id).where(sql.c.org == self.org, sql.c.parent_id == unit_id, stands)
        return len(self.connection.scalars(query).all())

    def every_unit(self, kinds: Sequence[str]) -> list[Unit]:
        """The units of these kinds there ever were, in the order of their identities; notes nothing."""
        sql = units.sql(Register.version)
        query = select(sql).where(sql.c.org == self.org, sql.c.kind.in_(kinds)).order_by(sql.c.unit_id)
        return [
            Unit(row.unit_id, row.kind, row.category, row.parent_id, row.since, row.until, row.merged_into)
            for row in self.connection.execute(query)
        ]

    def every_membership(self) -> list[Membership]:
        """The memberships there ever were, by person and time; notes nothing."""
        sql = memberships.sql(Register.version)
        query = select(sql).where(sql.c.org == self.org).order_by(sql.c.person_id, sql.c.since)
        return [Membership(row.person_id, row.unit_id, row.since, row.until) for row in self.connection.execute(query)]

    def units_of(self, person_id: str, at: datetime) -> dict[str, str]:
        """The units a person is a member of at a moment, with the standing there."""
        sql = memberships.sql(Register.version)
        rows = self.connection.execute(select(sql).where(sql.c.org == self.org, sql.c.person_id == person_id)).all()
        self.expect[f"membership/{person_id}"] = max((row.version for row in rows), default=0)
        return {row.unit_id: row.standing for row in rows if row.since <= at and (row.until is None or at < row.until)}

    def roles_of(self, person_id: str, at: datetime) -> list[tuple[str, str]]:
        """The (unit, role) pairs a person holds at a moment; what they do not hold is noted by `rests_on_role`."""
        sql = roles.sql(Register.version)
        query = select(sql).where(sql.c.org == self.org, sql.c.person_id == person_id, *_holds(roles, at))
        rows = sorted(self.connection.execute(query), key=lambda row: (row.unit_id, row.role, row.since))
        for row in rows:
            self.rests_on_role(row.unit_id, row.role)
        return [(row.unit_id, row.role) for row in rows]

    def is_secretary_from(self, person_id: str, moment: datetime, unit_id: str) -> bool:
        """Whether a person is a unit's secretary at a moment or at any time after it."""
        self.rests_on_role(unit_id, SECRETARY)
        sql = roles.sql(Register.version)
        of_the_role = sql.c.org == self.org, sql.c.unit_id == unit_id, sql.c.role == SECRETARY
        query = select(sql.c.until).where(*of_the_role, sql.c.person_id == person_id)
        return any(until is None or until > moment for until in self.connection.scalars(query))

    def rests_on_role(self, unit_id: str, role: str) -> None:
        """Note that the decision rests on who holds a role, and on who does not."""
        sql = roles.sql(Register.version)
        query = select(sql.c.version).where(sql.c.org == self.org, sql.c.unit_id == unit_id, sql.c.role == role)
        self.expect[f"role/{unit_id}/{role}"] = max(self.connection.scalars(query), default=0)

    def require_actor(self, actor: str | None) -> None:
        """Refuses an actor the register does not know; whoever runs the deployment is known."""
        if actor is not OPERATOR:
            self.person(actor, "Acting-As", "actor.unknown")

    def require_office(self, actor: str | None, now: datetime) -> None:
        """The right of the office: its staff hold it now, and whoever runs the deployment."""
        self.require_role(actor, now, OFFICE)

    def require_secretary(self, actor: str | None, now: datetime, unit_id: str) -> None:
        """The right of a unit's secretary, which the office has too."""
        if actor is not OPERATOR and (unit_id, SECRETARY) in self.roles_of(actor, now):
            return
        self.require_role(actor, now, OFFICE)

    def require_role(self, actor: str | None, now: datetime, wanted: Sequence[str]) -> None:
        """Refuses an actor who holds none of these roles now."""
        self.require_actor(actor)
        if actor is not OPERATOR:
            held = {role for _, role in self.roles_of(actor, now)}
            require(held & set(wanted), "actor.lacks_role", "Acting-As", role=" / ".join(wanted))


def _holds(view: ViewTable, at: datetime) -> tuple[ColumnElement[bool], ...]:
    sql = view.sql(Register.version)
    return sql.c.since <= at, (sql.c.until.is_(None)) | (sql.c.until > at)


@lru_cache(maxsize=32)
def _programme(text: str) -> ProgrammeTemplate:
    return ProgrammeTemplate.model_validate_json(text)
