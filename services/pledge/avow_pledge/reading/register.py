"""The register's lists: campaigns, units, memberships and roles (R-01, R-06, R-56)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import ColumnElement, Connection, RowMapping, select

from avow.contracts.organisation import Standing
from avow.contracts.values import Identity, Instant, Key, Label
from avow.kernel.refusal import Refusal
from avow.projections.listing import Listed
from avow.register.projection import Register, campaigns, memberships, roles, units


class Entry(BaseModel):
    """A row of a list."""

    model_config = ConfigDict(frozen=True)


E = TypeVar("E", bound=Entry)


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


def campaign_page(connection: Connection, org: str, campaign_id: str) -> CampaignPage:
    """One campaign with its programme; refuses an unknown one."""
    sql = campaigns.sql(Register.version)
    row = connection.execute(select(sql).where(sql.c.org == org, sql.c.campaign_id == campaign_id)).first()
    if row is None:
        raise Refusal("campaign.unknown", "campaign_id")
    return CampaignPage.model_validate(row, from_attributes=True)


At = Annotated[Instant | None, Field(description="The moment asked about; now, where it is left out.")]


@dataclass(frozen=True)
class CampaignsWanted:
    """Which campaigns are asked for."""

    template: Key | None = None


@dataclass(frozen=True)
class UnitsWanted:
    """Which units are asked for."""

    kind: Key | None = None
    category: Key | None = None
    parent_id: Identity | None = None
    merged_into: Identity | None = None


@dataclass(frozen=True)
class MembershipsWanted:
    """Which memberships are asked for."""

    unit_id: Identity | None = None
    person_id: Identity | None = None
    standing: Standing | None = None
    at: At = None


@dataclass(frozen=True)
class RolesWanted:
    """Which holdings of roles are asked for."""

    unit_id: Identity | None = None
    role: Key | None = None
    person_id: Identity | None = None
    at: At = None


def _as(entry: type[E]) -> Callable[[Connection, str, Sequence[RowMapping], datetime], list[E]]:
    return lambda connection, org, rows, now: [entry.model_validate(dict(row)) for row in rows]


def _held(columns: Any, wanted: MembershipsWanted | RolesWanted) -> list[ColumnElement[bool]]:
    """Those that hold at the moment asked about, or that are not ended."""
    said = {name: value for name, value in vars(wanted).items() if name != "at" and value is not None}
    since, until = columns["since"], columns["until"]
    ongoing = until.is_(None)
    holds = ongoing if wanted.at is None else (since <= wanted.at) & (ongoing | (until > wanted.at))
    return [*(columns[name] == value for name, value in said.items()), holds]


CAMPAIGNS: Listed[CampaignsWanted, CampaignEntry] = Listed(
    name="campaigns",
    projections=(Register.name,),
    entry=CampaignEntry,
    query=select(campaigns.sql(Register.version)),
    keys=("campaign_id",),
    order="campaign_id",
    sorts=("template", "starts_on", "ends_on"),
    shown=_as(CampaignEntry),
)
UNITS: Listed[UnitsWanted, UnitEntry] = Listed(
    name="units",
    projections=(Register.name,),
    entry=UnitEntry,
    query=select(units.sql(Register.version)),
    keys=("unit_id",),
    order="unit_id",
    sorts=("name", "kind", "category", "since", "until"),
    shown=_as(UnitEntry),
)
MEMBERSHIPS = Listed(
    name="memberships",
    projections=(Register.name,),
    entry=MembershipEntry,
    query=select(memberships.sql(Register.version)),
    keys=("person_id", "unit_id", "since"),
    order="person_id",
    sorts=("standing", "until"),
    shown=_as(MembershipEntry),
    conditions=_held,
)
ROLES = Listed(
    name="roles",
    projections=(Register.name,),
    entry=RoleEntry,
    query=select(roles.sql(Register.version)),
    keys=("unit_id", "role", "person_id", "since"),
    order="unit_id",
    sorts=("until",),
    shown=_as(RoleEntry),
    conditions=_held,
)
