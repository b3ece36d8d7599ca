"""The rounds as they are read (R-41)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, RowMapping, select

from avow.contracts.review import ReviewForm
from avow.contracts.values import Identity, Label
from avow.kernel.refusal import Refusal
from avow.programme.vocabulary import Subject
from avow.projections.listing import Listed
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


@dataclass(frozen=True)
class RoundsWanted:
    """Which rounds are asked for."""

    campaign_id: Identity | None = None
    subject: Subject | None = None
    unit_id: Identity | None = None
    rehearsal: bool | None = None
    status: Status | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[RoundEntry]:
    return [RoundEntry.model_validate(row) for row in _with_parts(connection, org, rows)]


def _wanted(columns: Any, wanted: RoundsWanted) -> list[ColumnElement[bool]]:
    said = {**vars(wanted), "status": wanted.status and wanted.status.value}
    return [columns[name] == value for name, value in said.items() if value is not None]


ROUNDS = Listed(
    name="rounds",
    projections=(RoundBoard.name,),
    entry=RoundEntry,
    query=select(rounds.sql(RoundBoard.version)),
    keys=("round_id",),
    order="-position",
    sorts=("position", "status", "opens_at", "closes_at", "opened_at", "closed_at"),
    shown=_shown,
    conditions=_wanted,
)


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
