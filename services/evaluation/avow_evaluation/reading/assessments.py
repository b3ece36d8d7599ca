"""The assessments as they are read (R-49)."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from avow.contracts.organisation import Standing
from avow.contracts.scoring import ScoredPart
from avow.contracts.values import Exact
from avow.programme.vocabulary import Subject
from avow.register.people import names_of
from avow_evaluation.domain.period_recognition import ClassScore
from avow_evaluation.domain.score import Missing, Side
from avow_evaluation.domain.sensitivity import Alternative
from avow_evaluation.projections.assessments import Assessments, assessments
from avow_evaluation.reading.subjects import unit_names


class PartEntry(BaseModel):
    """A part of the work record; `in_force` and `value` are null where it is left out."""

    model_config = ConfigDict(frozen=True)

    part: ScoredPart
    weight: Exact
    in_force: Exact | None
    numerator: str
    denominator: int
    value: Exact | None


class AssessmentEntry(BaseModel):
    """A subject's score for a phase."""

    model_config = ConfigDict(frozen=True)

    assessment_id: str
    campaign_id: str
    phase: str
    subject: Subject
    subject_id: str
    name: str | None = Field(description="The unit's name, or the member's as `/people` has it.", repr=False)
    unit_id: str
    unit: str | None
    category: str | None
    standing: Standing | None
    revision: int
    rules_version: int
    total: Exact | None = Field(description="Out of 100; null where `missing` says why.")
    work_record: Exact | None
    recognition: Exact | None
    parts: list[PartEntry]
    classes: list[ClassScore] | None
    missing: list[Missing]
    below_floor: list[Side]
    alternatives: list[Alternative] = Field(
        description="What other ways to measure recognition would give; never official."
    )
    evidence_position: int
    calculated_at: datetime
    event_ref: str
    position: int


def assessment_entries(
    connection: Connection, org: str, wanted: Mapping[str, str | None], after: int | None, limit: int
) -> list[AssessmentEntry]:
    """The last revisions with these values, in the order they were calculated."""
    sql = assessments.sql(Assessments.version)
    query = select(sql).where(sql.c.org == org, ~sql.c.dropped).order_by(sql.c.position).limit(limit)
    query = query.where(*(sql.c[name] == value for name, value in wanted.items() if value is not None))
    if after is not None:
        query = query.where(sql.c.position > after)
    rows = connection.execute(query).mappings().all()
    units = unit_names(connection, org, (row["unit_id"] for row in rows))
    people = names_of(connection, org, (row["subject_id"] for row in rows if row["subject"] == "member"))
    named = {**people, **units}
    return [
        AssessmentEntry.model_validate({**row, "name": named.get(row["subject_id"]), "unit": units.get(row["unit_id"])})
        for row in rows
    ]
