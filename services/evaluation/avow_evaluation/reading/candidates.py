"""The candidates for commendation as they are read (R-51)."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, and_, select

from avow.contracts.values import Exact
from avow.programme.vocabulary import Subject
from avow.register.people import names_of
from avow_evaluation.domain.ranking import Reason
from avow_evaluation.projections.commendation_candidates import CommendationCandidates, candidates, rankings
from avow_evaluation.reading.subjects import unit_names


class CandidateEntry(BaseModel):
    """A candidate's place, or why there is none, and the assessment it rests on."""

    model_config = ConfigDict(frozen=True)

    campaign_id: str
    phase: str
    award: str
    category: str | None = Field(description="Null where the categories are not ranked apart.")
    place: int = Field(description="Counts all candidates of the category, those not ranked last.")
    rank: int | None
    reason: Reason
    subject: Subject
    subject_id: str
    name: str | None = Field(description="The unit's name, or the member's as `/people` has it.", repr=False)
    unit_id: str
    unit: str | None
    total: Exact | None
    recognition: Exact | None
    fulfilment: Exact | None
    frontline: bool | None
    best_rank: int | None = Field(description="The best rank under all five ways to measure recognition.")
    worst_rank: int | None
    assessment_id: str
    assessment_event: str
    revision: int
    ranked_at: datetime
    event_ref: str
    position: int


def candidate_entries(
    connection: Connection, org: str, wanted: Mapping[str, str | None], offset: int, limit: int
) -> list[CandidateEntry]:
    """The places of the last rankings with these values, batch by batch, award by award, category by category."""
    sql, last = candidates.sql(CommendationCandidates.version), rankings.sql(CommendationCandidates.version)
    batch = ("campaign_id", "phase", "award", "category")
    same = and_(*(last.c[name] == sql.c[name] for name in ("org", *batch, "revision")))
    query = select(sql, last.c.ranked_at).join(last, same).where(sql.c.org == org)
    query = query.where(*(sql.c[name] == value for name, value in wanted.items() if value is not None))
    query = query.order_by(*(sql.c[name] for name in batch), sql.c.place).offset(offset).limit(limit)
    rows = connection.execute(query).mappings().all()
    units = unit_names(connection, org, (row["unit_id"] for row in rows))
    people = names_of(connection, org, (row["subject_id"] for row in rows if row["subject"] == "member"))
    named = {**people, **units}
    return [
        CandidateEntry.model_validate(
            {
                **row,
                "category": row["category"] or None,
                "name": named.get(row["subject_id"]),
                "unit": units.get(row["unit_id"]),
            }
        )
        for row in rows
    ]
