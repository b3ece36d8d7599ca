"""The rounds as they are read (R-41)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.review import ReviewForm
from avow.contracts.values import Label
from avow.kernel.refusal import Refusal
from avow_evaluation.domain.review_round import Status
from avow_evaluation.projections.round_board import RoundBoard, parts, rounds


class PartEntry(BaseModel):
    """A part of an electorate: how many may review, have a credential, and have reviewed as last reported."""

    model_config = ConfigDict(frozen=True)

    unit_id: str
    rater_class: str
    eligible: int
    issued: int
    submitted: int


class RoundEntry(BaseModel):
    """A round as it stands."""

    model_config = ConfigDict(frozen=True)

    round_id: str
    campaign_id: str
    title: Label
    subject: Literal["unit", "member"]
    subjects: list[str]
    unit_id: str | None = Field(description="Whose members are reviewed; null where units are.")
    rehearsal: bool
    status: Status
    opens_at: datetime
    closes_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    parts: list[PartEntry]
    position: int


class RoundPage(RoundEntry):
    """The same with the form it is held by."""

    form: ReviewForm


def round_entries(
    connection: Connection, org: str, campaign_id: str | None, after: int | None, limit: int
) -> list[RoundEntry]:
    """The rounds, newest first; `after` is the position the page before ended at."""
    sql = rounds.sql(RoundBoard.version)
    query = select(sql).where(sql.c.org == org).order_by(sql.c.position.desc()).limit(limit)
    if campaign_id is not None:
        query = query.where(sql.c.campaign_id == campaign_id)
    if after is not None:
        query = query.where(sql.c.position < after)
    rows = connection.execute(query).mappings().all()
    return [RoundEntry.model_validate(row) for row in _with_parts(connection, org, rows)]


def round_page(connection: Connection, org: str, round_id: str) -> RoundPage:
    """One round with its form; refuses an unknown one."""
    sql = rounds.sql(RoundBoard.version)
    rows = connection.execute(select(sql).where(sql.c.org == org, sql.c.round_id == round_id)).mappings().all()
    if not rows:
        raise Refusal("round.unknown", "round_id")
    return RoundPage.model_validate(_with_parts(connection, org, rows)[0])


def rounds_at(connection: Connection, org: str, status: Status) -> dict[str, str]:
    """The rounds that stand there, each with the id of the event that closed it, where one has."""
    sql = rounds.sql(RoundBoard.version)
    query = select(sql.c.round_id, sql.c.closed_by).where(sql.c.org == org, sql.c.status == status.value)
    return {row.round_id: row.closed_by or "" for row in connection.execute(query.order_by(sql.c.position))}


def _with_parts(connection: Connection, org: str, rows: Sequence[RowMapping]) -> list[Mapping[str, Any]]:
    sql = parts.sql(RoundBoard.version)
    of_these = select(sql).where(sql.c.org == org, sql.c.round_id.in_([row["round_id"] for row in rows]))
    found: dict[str, list[RowMapping]] = defaultdict(list)
    for part in connection.execute(of_these.order_by(sql.c.unit_id, sql.c.rater_class)).mappings():
        found[part["round_id"]].append(part)
    return [{**row, "parts": found[row["round_id"]]} for row in rows]
