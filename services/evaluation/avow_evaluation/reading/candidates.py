"""The candidates for commendation as they are read (R-51)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping, and_, select

from avow.contracts.values import Exact, Identity, Key
from avow.programme.vocabulary import Subject
from avow.projections.listing import Listed
from avow.register.people import names_of
from avow.register.projection import Register
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


@dataclass(frozen=True)
class CandidatesWanted:
    """Which candidates are asked for."""

    campaign_id: Identity | None = None
    phase: Key | None = None
    award: Key | None = None
    category: Key | None = None
    unit_id: Identity | None = None
    subject_id: Identity | None = None
    reason: Reason | None = None


def _shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[CandidateEntry]:
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


_ROWS = candidates.sql(CommendationCandidates.version)
_LAST = rankings.sql(CommendationCandidates.version)
_BATCH = ("campaign_id", "phase", "award", "category")
CANDIDATES: Listed[CandidatesWanted, CandidateEntry] = Listed(
    name="candidates",
    projections=(CommendationCandidates.name, Register.name),
    entry=CandidateEntry,
    query=select(_ROWS, _LAST.c.ranked_at).join(
        _LAST, and_(*(_LAST.c[name] == _ROWS.c[name] for name in ("org", *_BATCH, "revision")))
    ),
    keys=(*_BATCH, "subject_id"),
    order="campaign_id,phase,award,category,place",
    sorts=("place", "total", "recognition", "fulfilment", "best_rank", "worst_rank", "ranked_at"),
    shown=_shown,
)
