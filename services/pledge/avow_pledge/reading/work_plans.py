"""The work plans as they are read (R-24)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from avow.contracts.work_plan import PlanItem, PlanWording
from avow_pledge.projections.work_plans import WorkPlans, plans
from avow_pledge.reading.opening import OR_ERASED, opener
from avow_pledge.reading.paging import newest_first


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


def plan_entries(
    connection: Connection,
    org: str,
    campaign_id: str | None = None,
    unit_id: str | None = None,
    phase: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[PlanEntry]:
    """The plans, the one first drafted last; `after` is the position the page before ended at."""
    sql = plans.sql(WorkPlans.version)
    wanted = {"campaign_id": campaign_id, "unit_id": unit_id, "phase": phase}
    rows = connection.execute(newest_first(sql, org, wanted, after, limit)).mappings().all()
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
