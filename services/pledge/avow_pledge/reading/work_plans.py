"""The work plans as they are read (R-24)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.values import Identity, Key
from avow.contracts.work_plan import PlanItem, PlanWording
from avow.projections.listing import Listed
from avow_pledge.projections.work_plans import WorkPlans, plans
from avow_pledge.reading.opening import OR_ERASED, opener


class PlanEntry(BaseModel):
    """A unit's plan for a phase as it was last written; `items` and `wording` go together, entry by entry."""

    model_config = ConfigDict(frozen=True)

    plan_id: str
    campaign_id: str
    unit_id: str
    phase: str
    status: Literal["drafted", "returned", "adopted"]
    revision: int
    service_audience: str
    items: list[PlanItem]
    scope: str
    wording: list[PlanWording] | str | None = Field(description=OR_ERASED)
    drafted_at: datetime
    adopted_at: datetime | None
    adopted_revision: int | None = Field(description="The revision that holds, which may be an earlier one.")
    reason: str | None = Field(description=f"Why it was last returned or revised. {OR_ERASED}")
    position: int


@dataclass(frozen=True)
class PlansWanted:
    """Which plans are asked for."""

    campaign_id: Identity | None = None
    unit_id: Identity | None = None
    phase: Key | None = None
    status: Literal["drafted", "returned", "adopted"] | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[PlanEntry]:
    seals = (row[name] for row in rows for name in ("sealed_wording", "reason"))
    opened = opener(connection, org, seals)
    return [
        PlanEntry.model_validate(
            {
                **row,
                "wording": opened(row["sealed_wording"], row["wording"]),
                "reason": opened(row["reason"], None),
            }
        )
        for row in rows
    ]


WORK_PLANS: Listed[PlansWanted, PlanEntry] = Listed(
    name="work_plans",
    projections=(WorkPlans.name,),
    entry=PlanEntry,
    query=select(plans.sql(WorkPlans.version)),
    keys=("plan_id",),
    order="-position",
    sorts=("position", "unit_id", "phase", "status", "revision", "drafted_at", "adopted_at"),
    shown=_shown,
)
