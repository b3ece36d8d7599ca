"""The dedicated ledger as it is read (R-46)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.review import ClassTally, RowTally
from avow.contracts.values import Exact, Identity, Key, Label
from avow.programme.vocabulary import Subject
from avow.projections.listing import Listed
from avow.register.people import names_of
from avow.register.projection import Register
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


@dataclass(frozen=True)
class LedgerWanted:
    """Which rows of the ledger are asked for."""

    campaign_id: Identity | None = None
    round_id: Identity | None = None
    subject: Subject | None = None
    unit_id: Identity | None = None
    person_id: Identity | None = None
    category: Key | None = None
    validity: Literal["valid", "low", "invalid"] | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[LedgerEntry]:
    names = names_of(connection, org, (row["person_id"] for row in rows))
    return [LedgerEntry.model_validate({**row, "person": names.get(row["person_id"])}) for row in rows]


LEDGER: Listed[LedgerWanted, LedgerEntry] = Listed(
    name="ledger",
    projections=(DedicatedLedger.name, Register.name),
    entry=LedgerEntry,
    query=select(ledger.sql(DedicatedLedger.version)),
    keys=("round_id", "subject_id"),
    order="position",
    sorts=(
        "position",
        "seq",
        "unit",
        "category",
        "closes_at",
        "eligible",
        "cast",
        "turnout",
        "good_rate",
        "recognition",
        "pledges_made",
        "meetings_held",
        "comments",
        "tallied_at",
    ),
    shown=_shown,
)
