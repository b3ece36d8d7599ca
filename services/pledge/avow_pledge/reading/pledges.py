"""The pledge wall as it is read, and the reports on its items (R-29, R-31)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.pledge import ItemWording, PledgeItem, Pledger
from avow.contracts.values import Identity, Key
from avow.projections.listing import Listed
from avow_pledge.projections.pledge_wall import PledgeWall, progress, wall
from avow_pledge.reading.opening import OR_ERASED, opener


class ItemStanding(BaseModel):
    """How an item stands: open, declared fulfilled, verified, or withdrawn (excused or not)."""

    model_config = ConfigDict(frozen=True)

    due_on: date | None
    state: Literal["open", "declared", "verified", "withdrawn"]
    excused: bool | None
    settled_at: datetime | None = Field(description="When it was verified or withdrawn.")
    overdue: bool = Field(description="Whether it was due before today and is neither verified nor withdrawn.")


class WallEntry(BaseModel):
    """A pledge; `items`, `standing` and `wording` go together, entry by entry."""

    model_config = ConfigDict(frozen=True)

    pledge_id: str
    campaign_id: str
    unit_id: str
    pledger: Pledger
    phase: str | None
    scope: str
    channel: str
    made_at: datetime
    first_milestone: date | None
    last_milestone: date | None
    items: list[PledgeItem]
    standing: list[ItemStanding]
    verified: int
    withdrawn: int
    wording: list[ItemWording] | str | None = Field(description=OR_ERASED)
    position: int


class ProgressEntry(BaseModel):
    """A report on an item; `quantity` says which of its indicators `value` is of."""

    model_config = ConfigDict(frozen=True)

    report_id: str
    pledge_id: str
    item: int
    quantity: int | None
    value: Decimal | None
    percent: int | None
    fulfilled: bool
    evidence_sha256: str | None
    reported_at: datetime
    note: str | None = Field(description=OR_ERASED)
    position: int


@dataclass(frozen=True)
class PledgesWanted:
    """Which pledges are asked for."""

    campaign_id: Identity | None = None
    unit_id: Identity | None = None
    pledger_id: Identity | None = None
    phase: Key | None = None
    scope: Key | None = None
    channel: Key | None = None


@dataclass(frozen=True)
class ProgressWanted:
    """Which reports are asked for."""

    pledge_id: Identity | None = None
    unit_id: Identity | None = None
    fulfilled: bool | None = None


def _pledges(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[WallEntry]:
    wording = opener(connection, org, (row["sealed_wording"] for row in rows))
    return [
        WallEntry.model_validate(
            {
                **row,
                "pledger": {"kind": row["pledger_kind"], "id": row["pledger_id"]},
                "wording": wording(row["sealed_wording"], row["wording"]),
                "standing": _as_of(now, row),
            }
        )
        for row in rows
    ]


def _reports(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[ProgressEntry]:
    note = opener(connection, org, (row["sealed_note"] for row in rows))
    return [ProgressEntry.model_validate({**row, "note": note(row["sealed_note"], row["note"])}) for row in rows]


def _as_of(now: datetime, row: RowMapping) -> list[dict[str, Any]]:
    today = now.astimezone(ZoneInfo(row["time_zone"] or "UTC")).date().isoformat()
    return [
        {**item, "overdue": item["state"] in ("open", "declared") and (item["due_on"] or today) < today}
        for item in row["standing"]
    ]


PLEDGES: Listed[PledgesWanted, WallEntry] = Listed(
    name="pledges",
    projections=(PledgeWall.name,),
    entry=WallEntry,
    query=select(wall.sql(PledgeWall.version)),
    keys=("pledge_id",),
    order="-position",
    sorts=("position", "unit_id", "phase", "made_at", "first_milestone", "last_milestone", "verified", "withdrawn"),
    shown=_pledges,
)
PROGRESS: Listed[ProgressWanted, ProgressEntry] = Listed(
    name="progress",
    projections=(PledgeWall.name,),
    entry=ProgressEntry,
    query=select(progress.sql(PledgeWall.version)),
    keys=("report_id",),
    order="-position",
    sorts=("position", "pledge_id", "reported_at", "percent", "value"),
    shown=_reports,
)
