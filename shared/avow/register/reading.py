"""Asking the register: what a decision needs to know about units, persons and roles on a day.

Promises: every answer but those that list or count who is there notes, in `expect`, the version of each stream it rests
on, so that what was read, or was at hand, cannot change under the decision. Rights are held now; roles said to have
been held are held on the day of the matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Text, select, type_coerce

from avow.eventlog.at_hand import Recall, read_anew
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
    recall: Recall = read_anew
    expect: dict[str, int] = field(default_factory=dict)
    _rested: set[tuple[str, str]] = field(default_factory=set)

    def campaign(self, campaign_id: str, at: str = "campaign_id") -> Campaign:
        """An approved campaign; refuses an unknown one (R-01)."""
        row = next(iter(self._rows(campaigns, campaign_id=campaign_id)), None)
        require(row is not None, "campaign.unknown", at)
        assert row is not None
        self.expect[f"campaign/{campaign_id}"] = row.version
        return Campaign(campaign_id, row.starts_on, row.ends_on, _programme(row.programme))

    def unit(self, unit_id: str, at: str = "unit_id") -> Unit:
        """A registered unit; refuses an unknown one."""
        row = next(iter(self._rows(units, unit_id=unit_id)), None)
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
        row = next(iter(self._rows(people, person_id=person_id)), None)
        require(row is not None, code, at)
        assert row is not None
        require(even_erased or row.erased_at is None, "person.erased", at)
        self.expect[f"person/{person_id}"] = row.version

    def members(self, unit_id: str, at: datetime) -> list[str]:
        """The persons who are members of a unit at a moment, in the order of their identities; notes nothing."""
        sql = memberships.sql(Register.version)
        holds = sql.c.since <= at, (sql.c.until.is_(None)) | (sql.c.until > at)
        query = select(sql.c.person_id).where(sql.c.org == self.org, sql.c.unit_id == unit_id, *holds)
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
        rows = self._rows(memberships, person_id=person_id)
        self.expect[f"membership/{person_id}"] = max((row.version for row in rows), default=0)
        return {row.unit_id: row.standing for row in rows if _held(row, at)}

    def roles_of(self, person_id: str, at: datetime) -> list[tuple[str, str]]:
        """The (unit, role) pairs a person holds at a moment; what they do not hold is noted by `rests_on_role`."""
        ever = self._rested | {(row.unit_id, row.role) for row in self._rows(roles, person_id=person_id)}
        return sorted((unit_id, role) for unit_id, role in ever if self._holds(person_id, unit_id, role, at))

    def _holds(self, person_id: str, unit_id: str, role: str, at: datetime) -> bool:
        # By the very rows whose version is noted: those of the person may be older.
        return any(row.person_id == person_id and _held(row, at) for row in self.rests_on_role(unit_id, role))

    def is_secretary_from(self, person_id: str, moment: datetime, unit_id: str) -> bool:
        """Whether a person is a unit's secretary at a moment or at any time after it."""
        rows = self.rests_on_role(unit_id, SECRETARY)
        return any(row.person_id == person_id and (row.until is None or row.until > moment) for row in rows)

    def rests_on_role(self, unit_id: str, role: str) -> Sequence[Row[Any]]:
        """Note that the decision rests on who holds a role, and on who does not; all its holdings, past ones too."""
        rows = self._rows(roles, unit_id=unit_id, role=role)
        self._rested.add((unit_id, role))
        self.expect[f"role/{unit_id}/{role}"] = max((row.version for row in rows), default=0)
        return rows

    def _rows(self, view: ViewTable, **by: str) -> Sequence[Row[Any]]:
        """The rows with these values, as they may be at hand."""

        def read() -> Sequence[Row[Any]]:
            sql = view.sql(Register.version)
            # A programme is long and in JSON; whoever needs it knows most of them by their text.
            columns = [type_coerce(c, Text).label(c.name) if c.name == "programme" else c for c in sql.c]
            wanted = (sql.c[name] == value for name, value in by.items())
            return self.connection.execute(select(*columns).where(sql.c.org == self.org, *wanted)).all()

        return self.recall((view.name, self.org, *by.items()), read)

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


def _held(row: Row[Any], at: datetime) -> bool:
    """Whether an interval holds at a moment."""
    return bool(row.since <= at and (row.until is None or at < row.until))


@lru_cache(maxsize=32)
def _programme(text: str) -> ProgrammeTemplate:
    return ProgrammeTemplate.model_validate_json(text)
