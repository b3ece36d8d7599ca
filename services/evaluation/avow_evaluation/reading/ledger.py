"""The dedicated ledger as it is read (R-46)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from avow.contracts.review import ClassTally, RowTally
from avow.contracts.values import Exact, Label
from avow.register.people import names_of
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger, ledger


class LedgerEntry(BaseModel):
    """A row of the ledger: a subject's result in a round, and what the subject had done by then."""

    model_config = ConfigDict(frozen=True)

    seq: int = Field(description="The subject's place among the subjects of the round.")
    subject: Literal["unit", "member"]
    person_id: str | None = Field(description="The member; null where the subject is the unit.")
    person: str | None = Field(description="The member's name as `/people` has it.", repr=False)
    unit_id: str
    unit: str = Field(description="The unit's name when the row was written.")
    category: str | None
    campaign_id: str
    round_id: str
    round: Label
    opens_at: datetime
    closes_at: datetime
    eligible: int
    cast: int
    turnout: Exact | None
    validity: Literal["valid", "low", "invalid"]
    by_class: list[ClassTally]
    grade_counts: dict[str, int] | None = Field(description="Over all rows; null where the result is withheld.")
    abstained: int | None
    good_rate: Exact | None
    recognition: Exact | None
    criteria: list[RowTally] | None = Field(description="Row by row; null where it is withheld, and of a member.")
    pledges_made: int
    meetings_held: int
    comments: int
    tallied_at: datetime
    event_ref: str = Field(description="The id of the event this row was written by.")
    position: int


def ledger_entries(
    connection: Connection,
    org: str,
    wanted: Mapping[str, str | None],
    after: int | None = None,
    limit: int = 100,
) -> list[LedgerEntry]:
    """The rows with these values, in the order they were written; `after` is the position the page before ended at."""
    sql = ledger.sql(DedicatedLedger.version)
    query = select(sql).where(sql.c.org == org).order_by(sql.c.position).limit(limit)
    query = query.where(*(sql.c[name] == value for name, value in wanted.items() if value is not None))
    if after is not None:
        query = query.where(sql.c.position > after)
    rows = connection.execute(query).mappings().all()
    names = names_of(connection, org, (row["person_id"] for row in rows))
    return [LedgerEntry.model_validate({**row, "person": names.get(row["person_id"])}) for row in rows]
