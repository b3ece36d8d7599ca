"""The scoring rules as they are read (R-48)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.review import ClassWeight
from avow.contracts.scoring import PartWeight
from avow.contracts.values import Exact, Identity, Label
from avow.programme.vocabulary import Subject
from avow.projections.listing import Listed
from avow_evaluation.projections.scoring_rules import PublishedRules, scoring_rules


class RulesEntry(BaseModel):
    """A version of the rules as it was published."""

    model_config = ConfigDict(frozen=True)

    campaign_id: str
    subject: Subject
    version: int
    label: Label
    effective_from: date
    work_record: list[PartWeight]
    recognition: list[ClassWeight]
    work_record_floor: Exact
    recognition_floor: Exact
    published_at: datetime
    event_ref: str
    position: int


@dataclass(frozen=True)
class RulesWanted:
    """Which rules are asked for."""

    campaign_id: Identity | None = None
    subject: Subject | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[RulesEntry]:
    return [RulesEntry.model_validate(row) for row in rows]


RULES: Listed[RulesWanted, RulesEntry] = Listed(
    name="rules",
    projections=(PublishedRules.name,),
    entry=RulesEntry,
    query=select(scoring_rules.sql(PublishedRules.version)),
    keys=("campaign_id", "subject", "version_key"),
    order="position",
    sorts=("position", "version", "effective_from", "published_at"),
    shown=_shown,
)
