"""The obligations as they are read: what was assessed, and what is due and not assessed yet (R-33, R-34, R-40)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, func, select

from avow.contracts.obligation import Outcome, Owner
from avow.contracts.values import Identity, Key
from avow.projections.listing import Computed, Listed
from avow.register.projection import Register
from avow.register.reading import RegisterReader
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.obligation import round_id
from avow_pledge.domain.obligation.calendar import occasions
from avow_pledge.domain.obligation.evidence import is_assessable
from avow_pledge.facts.standing import running_campaign
from avow_pledge.projections.obligation_calendar import ObligationCalendar, calendar
from avow_pledge.reading.opening import OR_ERASED, opener


class ObligationEntry(BaseModel):
    """What one owner owed in a period, and what came of it."""

    model_config = ConfigDict(frozen=True)

    obligation_id: str
    round_id: str
    campaign_id: str
    obligation: str
    owner: Owner
    unit_id: str
    starts_on: date
    ends_on: date
    due_on: date
    outcome: Outcome
    met_on: date | None
    met_by: list[str]
    assessed_at: datetime
    waived: bool
    waived_at: datetime | None
    reason: str | None = Field(description=f"Why it was waived. {OR_ERASED}")
    position: int


class RoundEntry(BaseModel):
    """An obligation in a period that has begun: due, overdue once the due day is gone, or assessed."""

    model_config = ConfigDict(frozen=True)

    round_id: str
    obligation: str
    starts_on: date
    ends_on: date
    due_on: date
    closes_on: date = Field(description="The last day of grace; it can be assessed from the day after.")
    state: Literal["due", "overdue", "assessed"]
    ripe: bool = Field(description="Whether the days of grace are over and nothing is assessed.")
    assessed: int = Field(description="How many owners were assessed.")


@dataclass(frozen=True)
class ObligationsWanted:
    """Which obligations are asked for; what is left out does not matter."""

    campaign_id: Identity | None = None
    obligation: Key | None = None
    unit_id: Identity | None = None
    owner_id: Identity | None = None
    round_id: Identity | None = None
    outcome: Outcome | None = None
    waived: bool | None = None


@dataclass(frozen=True)
class RoundsWanted:
    """Which rounds of a campaign are asked for."""

    campaign_id: Identity
    obligation: Key | None = None
    state: Literal["due", "overdue", "assessed"] | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[ObligationEntry]:
    reason = opener(connection, org, (row["sealed_reason"] for row in rows))
    return [
        ObligationEntry.model_validate(
            {
                **row,
                "owner": {"kind": row["owner_kind"], "id": row["owner_id"]},
                "reason": reason(row["sealed_reason"], row["reason"]),
            }
        )
        for row in rows
    ]


def round_entries(connection: Connection, org: str, campaign_id: str, now: datetime) -> list[RoundEntry]:
    """Every round of a campaign whose period has begun, by due day; refuses an unknown campaign."""
    campaign = running_campaign(RegisterReader(connection, org), campaign_id, now)
    sql = calendar.sql(ObligationCalendar.version)
    counted = select(sql.c.round_id, func.count()).where(sql.c.org == org, sql.c.campaign_id == campaign_id)
    assessed = Counter({row[0]: row[1] for row in connection.execute(counted.group_by(sql.c.round_id))})
    return sorted(_rounds(campaign, assessed), key=lambda entry: (entry.due_on, entry.obligation, entry.starts_on))


def _rounds(campaign: RunningCampaign, assessed: Counter[str]) -> Iterator[RoundEntry]:
    for obligation in filter(is_assessable, campaign.programme.obligations):
        for occasion in occasions(obligation, campaign):
            identity = round_id(campaign.campaign_id, obligation.key, occasion.starts_on)
            count = assessed[identity]
            yield RoundEntry(
                round_id=identity,
                obligation=obligation.key,
                starts_on=occasion.starts_on,
                ends_on=occasion.ends_on,
                due_on=occasion.due_on,
                closes_on=occasion.closes_on,
                state="assessed" if count else "overdue" if occasion.due_on < campaign.today else "due",
                ripe=not count and occasion.closes_on < campaign.today,
                assessed=count,
            )


def _wanted(connection: Connection, org: str, wanted: RoundsWanted, now: datetime) -> Iterator[RoundEntry]:
    for entry in round_entries(connection, org, wanted.campaign_id, now):
        if wanted.obligation in (None, entry.obligation) and wanted.state in (None, entry.state):
            yield entry


OBLIGATIONS: Listed[ObligationsWanted, ObligationEntry] = Listed(
    name="obligations",
    projections=(ObligationCalendar.name,),
    entry=ObligationEntry,
    query=select(calendar.sql(ObligationCalendar.version)),
    keys=("obligation_id",),
    order="-position",
    sorts=("position", "obligation", "unit_id", "starts_on", "due_on", "outcome", "met_on", "assessed_at", "waived"),
    shown=_shown,
)
ROUNDS = Computed(
    name="obligation_rounds",
    projections=(Register.name, ObligationCalendar.name),
    entry=RoundEntry,
    keys=("round_id",),
    order="due_on,obligation,starts_on",
    sorts=("obligation", "starts_on", "ends_on", "due_on", "closes_on", "state", "assessed"),
    entries=_wanted,
)
