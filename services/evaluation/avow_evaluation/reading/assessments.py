"""The assessments as they are read (R-49)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, select

from avow.contracts.organisation import Standing
from avow.contracts.scoring import ScoredPart
from avow.contracts.values import Exact, Identity, Key
from avow.programme.vocabulary import Subject
from avow.projections.listing import Listed
from avow.register.people import names_of
from avow.register.projection import Register
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


@dataclass(frozen=True)
class AssessmentsWanted:
    """Which assessments are asked for."""

    campaign_id: Identity | None = None
    phase: Key | None = None
    subject: Subject | None = None
    subject_id: Identity | None = None
    unit_id: Identity | None = None
    category: Key | None = None
    standing: Standing | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[AssessmentEntry]:
    units = unit_names(connection, org, (row["unit_id"] for row in rows))
    people = names_of(connection, org, (row["subject_id"] for row in rows if row["subject"] == "member"))
    named = {**people, **units}
    return [
        AssessmentEntry.model_validate({**row, "name": named.get(row["subject_id"]), "unit": units.get(row["unit_id"])})
        for row in rows
    ]


_ROWS = assessments.sql(Assessments.version)
ASSESSMENTS: Listed[AssessmentsWanted, AssessmentEntry] = Listed(
    name="assessments",
    projections=(Assessments.name, Register.name),
    entry=AssessmentEntry,
    query=select(_ROWS).where(~_ROWS.c.dropped),
    keys=("assessment_id",),
    order="position",
    sorts=("position", "phase", "category", "standing", "total", "work_record", "recognition", "calculated_at"),
    shown=_shown,
)
