"""The rounds: how far each has come, and of each part how many may review and how many have (R-41).

`submitted` is the count last reported; what single ballots say is in no view.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any

from avow.contracts.review import (
    ElectorateFrozen,
    ReviewForm,
    ReviewRoundAnnounced,
    ReviewRoundClosed,
    ReviewRoundOpened,
    ReviewSubmitted,
    ReviewTallied,
)
from avow.contracts.values import Label
from avow.eventlog.records import Recorded
from avow.projections.projection import (
    KeyValue,
    Projection,
    Row,
    document,
    key,
    moment,
    number,
    on,
    table,
    text,
)
from pydantic import BaseModel
from sqlalchemy import Connection, select

from avow_evaluation.domain.review_round import CredentialsIssued, Status

rounds = table(
    "round_board",
    key("round_id"),
    number("position"),
    text("campaign_id"),
    document("title"),
    document("subjects"),
    document("form"),
    text("status"),
    moment("opens_at"),
    moment("closes_at"),
    moment("opened_at"),
    moment("closed_at"),
    text("closed_by"),
)
parts = table(
    "round_part",
    key("round_id"),
    key("unit_id"),
    key("rater_class"),
    number("eligible"),
    number("issued", 0),
    number("submitted", 0),
)
PART = parts.at("round_id", "unit_id", "rater_class")


def _parts(event: ElectorateFrozen, recorded: Recorded) -> list[KeyValue]:
    return [(event.round_id, part.unit_id, part.rater_class) for part in event.parts]


class RoundBoard(Projection):
    """Where each round stands; `closed_by` is the id of the event that closed it."""

    name, version = "round_board", 1
    tables = (rounds, parts)

    @on(ReviewRoundAnnounced, row=rounds.at("round_id"))
    def announced(self, event: ReviewRoundAnnounced, recorded: Recorded, row: Row) -> None:
        row.update(
            position=recorded.position,
            campaign_id=event.campaign_id,
            title=event.title.model_dump(),
            subjects=list(event.subjects),
            form=event.form.model_dump(mode="json"),
            status=Status.ANNOUNCED.value,
            opens_at=event.opens_at,
            closes_at=event.closes_at,
        )

    @on(ElectorateFrozen, row=rounds.at("round_id"), rows=parts.each(_parts))
    def frozen(self, event: ElectorateFrozen, recorded: Recorded, row: Row, rows: list[Row]) -> None:
        row["status"] = Status.FROZEN.value
        for part, of_part in zip(event.parts, rows, strict=True):
            of_part["eligible"] = part.eligible

    @on(CredentialsIssued, row=PART)
    def issued(self, event: CredentialsIssued, recorded: Recorded, row: Row) -> None:
        row["issued"] = len(event.hashes)

    @on(ReviewRoundOpened, row=rounds.at("round_id"))
    def opened(self, event: ReviewRoundOpened, recorded: Recorded, row: Row) -> None:
        row.update(status=Status.OPEN.value, opened_at=recorded.occurred_at)

    @on(ReviewSubmitted, row=PART)
    def submitted(self, event: ReviewSubmitted, recorded: Recorded, row: Row) -> None:
        row["submitted"] = event.count

    @on(ReviewRoundClosed, row=rounds.at("round_id"))
    def closed(self, event: ReviewRoundClosed, recorded: Recorded, row: Row) -> None:
        row.update(status=Status.CLOSED.value, closed_at=recorded.occurred_at, closed_by=str(recorded.event_id))

    @on(ReviewTallied, row=rounds.at("round_id"))
    def tallied(self, event: ReviewTallied, recorded: Recorded, row: Row) -> None:
        row["status"] = Status.TALLIED.value


class RoundPart(BaseModel):
    """A part of an electorate: how many may review, have a credential, and have reviewed as last reported."""

    unit_id: str
    rater_class: str
    eligible: int
    issued: int
    submitted: int


class Round(BaseModel):
    """A round as it stands."""

    round_id: str
    position: int
    campaign_id: str
    title: Label
    subjects: list[str]
    form: ReviewForm
    status: Status
    opens_at: datetime
    closes_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    parts: list[RoundPart]


def round_list(
    connection: Connection, org: str, limit: int, after: int | None = None, round_id: str | None = None
) -> list[Round]:
    """The rounds, newest first, behind the one announced at position `after`; or one of them."""
    sql = rounds.sql(RoundBoard.version)
    query = (
        select(sql).where(sql.c.org == org, sql.c.position.is_not(None)).order_by(sql.c.position.desc()).limit(limit)
    )
    if after is not None:
        query = query.where(sql.c.position < after)
    if round_id is not None:
        query = query.where(sql.c.round_id == round_id)
    found = connection.execute(query).mappings().all()
    of_round = _parts_of(connection, org, [row["round_id"] for row in found])
    return [Round.model_validate({**row, "parts": of_round[row["round_id"]]}) for row in found]


def rounds_with_status(connection: Connection, org: str, status: Status) -> dict[str, str | None]:
    """The rounds that stand there, each with the id of the event that closed it."""
    sql = rounds.sql(RoundBoard.version)
    query = select(sql.c.round_id, sql.c.closed_by).where(sql.c.org == org, sql.c.status == status.value)
    return {row.round_id: row.closed_by for row in connection.execute(query.order_by(sql.c.position))}


def _parts_of(connection: Connection, org: str, round_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    sql = parts.sql(RoundBoard.version)
    query = select(sql).where(sql.c.org == org, sql.c.round_id.in_(round_ids))
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query.order_by(sql.c.unit_id, sql.c.rater_class)).mappings():
        found[row["round_id"]].append({name: value for name, value in row.items() if name not in ("org", "round_id")})
    return found
