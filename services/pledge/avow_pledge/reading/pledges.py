"""The pledge wall as it is read (R-29)."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from avow.contracts.pledge import ItemWording, PledgeItem, Pledger
from avow_pledge.projections.pledge_wall import PledgeWall, wall
from avow_pledge.reading.opening import OR_ERASED, opener


class WallEntry(BaseModel):
    """A pledge; `items` and `wording` go together, entry by entry."""

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
    wording: list[ItemWording] | str | None = Field(description=OR_ERASED)
    position: int


def wall_entries(
    connection: Connection,
    org: str,
    campaign_id: str | None = None,
    unit_id: str | None = None,
    pledger_id: str | None = None,
    scope: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[WallEntry]:
    """The pledges made, newest first; `after` is the position the page before ended at."""
    sql = wall.sql(PledgeWall.version)
    query = select(sql).where(sql.c.org == org).order_by(sql.c.position.desc()).limit(limit)
    wanted = {"campaign_id": campaign_id, "unit_id": unit_id, "pledger_id": pledger_id, "scope": scope}
    query = query.where(*(sql.c[name] == value for name, value in wanted.items() if value is not None))
    if after is not None:
        query = query.where(sql.c.position < after)
    rows = connection.execute(query).mappings().all()
    wording = opener(connection, org, (row["sealed_wording"] for row in rows))
    return [
        WallEntry.model_validate(
            {
                **row,
                "pledger": {"kind": row["pledger_kind"], "id": row["pledger_id"]},
                "wording": wording(row["sealed_wording"], row["wording"]),
            }
        )
        for row in rows
    ]
