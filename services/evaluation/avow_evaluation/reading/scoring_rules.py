"""The scoring rules as they are read (R-48)."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from avow.contracts.review import ClassWeight
from avow.contracts.scoring import PartWeight
from avow.contracts.values import Exact, Label
from avow.programme.vocabulary import Subject
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


def rules_entries(
    connection: Connection, org: str, wanted: Mapping[str, str | None], after: int | None, limit: int
) -> list[RulesEntry]:
    """The versions with these values, in the order they were published."""
    sql = scoring_rules.sql(PublishedRules.version)
    query = select(sql).where(sql.c.org == org).order_by(sql.c.position).limit(limit)
    query = query.where(*(sql.c[name] == value for name, value in wanted.items() if value is not None))
    if after is not None:
        query = query.where(sql.c.position > after)
    return [RulesEntry.model_validate(row) for row in connection.execute(query).mappings()]
