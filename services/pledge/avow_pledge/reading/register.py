"""The register's lists: campaigns, units, memberships and roles (R-01, R-06, R-56)."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import ColumnElement, Connection, Table, select, tuple_

from avow.contracts.organisation import Standing
from avow.contracts.values import Label
from avow.kernel.refusal import Refusal
from avow.projections.projection import ViewTable
from avow.register.projection import Register, campaigns, memberships, roles, units


class Entry(BaseModel):
    """A row of a list."""

    model_config = ConfigDict(frozen=True)


class CampaignEntry(Entry):
    """An approved campaign; its days, both included."""

    campaign_id: str
    template: str
    title: Label
    starts_on: date
    ends_on: date | None


class CampaignPage(CampaignEntry):
    """The same with its programme: every key that commands may use."""

    programme: dict[str, JsonValue]


class UnitEntry(Entry):
    """A unit, what it stands below, and into which unit it went at `until`."""

    unit_id: str
    name: str
    kind: str
    category: str | None
    parent_id: str | None
    since: datetime
    until: datetime | None
    merged_into: str | None


class MembershipEntry(Entry):
    """A membership, from `since` on and before `until`."""

    person_id: str
    unit_id: str
    standing: Standing
    since: datetime
    until: datetime | None


class RoleEntry(Entry):
    """The holding of a role, from `since` on and before `until`."""

    unit_id: str
    role: str
    person_id: str
    since: datetime
    until: datetime | None


def campaign_entries(connection: Connection, org: str, after: str | None, limit: int) -> list[CampaignEntry]:
    """The campaigns, by identity."""
    sql = campaigns.sql(Register.version)
    query = select(sql).where(*_page(sql, org, "campaign_id", after)).order_by(sql.c.campaign_id).limit(limit)
    return [CampaignEntry.model_validate(row, from_attributes=True) for row in connection.execute(query)]


def campaign_page(connection: Connection, org: str, campaign_id: str) -> CampaignPage:
    """One campaign with its programme; refuses an unknown one."""
    sql = campaigns.sql(Register.version)
    row = connection.execute(select(sql).where(sql.c.org == org, sql.c.campaign_id == campaign_id)).first()
    if row is None:
        raise Refusal("campaign.unknown", "campaign_id")
    return CampaignPage.model_validate(row, from_attributes=True)


def unit_entries(connection: Connection, org: str, after: str | None, limit: int) -> list[UnitEntry]:
    """The units, by identity."""
    sql = units.sql(Register.version)
    query = select(sql).where(*_page(sql, org, "unit_id", after)).order_by(sql.c.unit_id).limit(limit)
    return [UnitEntry.model_validate(row, from_attributes=True) for row in connection.execute(query)]


def membership_entries(
    connection: Connection, org: str, unit_id: str, at: datetime | None, after: str | None, limit: int
) -> list[MembershipEntry]:
    """The members of a unit at a moment, or those it has now, by identity."""
    sql = memberships.sql(Register.version)
    query = select(sql).where(*_page(sql, org, "person_id", after), sql.c.unit_id == unit_id, _holds(memberships, at))
    rows = connection.execute(query.order_by(sql.c.person_id).limit(limit))
    return [MembershipEntry.model_validate(row, from_attributes=True) for row in rows]


def role_entries(
    connection: Connection, org: str, at: datetime | None, after: tuple[str, str, str], limit: int
) -> list[RoleEntry]:
    """Who holds which role where at a moment, or now, by unit, role and person."""
    sql = roles.sql(Register.version)
    order = (sql.c.unit_id, sql.c.role, sql.c.person_id)
    query = select(sql).where(sql.c.org == org, _holds(roles, at), tuple_(*order) > after)
    rows = connection.execute(query.order_by(*order).limit(limit))
    return [RoleEntry.model_validate(row, from_attributes=True) for row in rows]


def _page(sql: Table, org: str, key: str, after: str | None) -> tuple[ColumnElement[bool], ...]:
    return (sql.c.org == org,) if after is None else (sql.c.org == org, sql.c[key] > after)


def _holds(view: ViewTable, at: datetime | None) -> ColumnElement[bool]:
    sql = view.sql(Register.version)
    ongoing = sql.c.until.is_(None)
    return ongoing if at is None else (sql.c.since <= at) & (ongoing | (sql.c.until > at))
