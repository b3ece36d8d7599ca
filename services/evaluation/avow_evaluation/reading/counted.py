"""What counts for whom in a phase, thing by thing, as the office looks it up before it scores (R-47, R-49).

Promises: these are the very records the work record and the recognition are counted from, in the order they came into
the log, each with the ids of its events. Limit: the ballots behind a result are not among them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from avow.contracts.obligation import Outcome
from avow.contracts.values import Identity, Key
from avow.programme.vocabulary import Subject
from avow.projections.listing import Computed
from avow.register.projection import Register
from avow.register.reading import RegisterReader
from avow_evaluation.domain.period_recognition import Reviewed
from avow_evaluation.domain.work_record import Duty, Graded, Item
from avow_evaluation.projections.evidence import Evidence
from avow_evaluation.reading.evidence import Period, comments_on, duties_of, items_of, period_of, reviewed

Side = Literal["obligations", "fulfilment", "comments", "recognition"]


class EvidenceEntry(BaseModel):
    """One thing that counts; what does not concern its part is null."""

    model_config = ConfigDict(frozen=True)

    subject_id: str
    part: Side
    number: int = Field(description="Its place among what counts for the subject in this part, from 1.")
    outcome: Outcome | None = None
    waived: bool | None = None
    due_on: date | None = None
    verified: bool | None = None
    excused: bool | None = None
    grade: int | None = None
    round_id: str | None = None
    validity: str | None = None
    tallied_at: datetime | None = None
    events: list[str]


@dataclass(frozen=True)
class EvidenceWanted:
    """Whose evidence is asked for, and of which phase."""

    campaign_id: Identity
    phase: Key
    subject: Subject
    subject_id: Identity | None = None
    part: Side | None = None


def _entries(connection: Connection, org: str, wanted: EvidenceWanted, now: datetime) -> Iterator[EvidenceEntry]:
    period = period_of(RegisterReader(connection, org), wanted.campaign_id, wanted.phase)
    for part, found in _parts(connection, org, period, wanted.subject):
        if wanted.part in (None, part):
            for subject_id, things in found.items():
                if wanted.subject_id in (None, subject_id):
                    for number, thing in enumerate(things, 1):
                        yield EvidenceEntry(subject_id=subject_id, part=part, number=number, **thing)


def _parts(
    connection: Connection, org: str, period: Period, subject: Subject
) -> Iterator[tuple[Side, Mapping[str, Sequence[dict[str, Any]]]]]:
    asked = connection, org, period, subject
    yield "obligations", {who: [_said(one) for one in found] for who, found in duties_of(*asked).items()}
    yield "fulfilment", {who: [_said(one) for one in found] for who, found in items_of(*asked).items()}
    yield "comments", {who: [_graded(one) for one in found] for who, found in comments_on(*asked).items()}
    yield "recognition", {who: [_rated(one) for one in found] for who, found in reviewed(*asked).items()}


def _graded(comment: Graded) -> dict[str, Any]:
    return {"grade": comment.grade, "events": [comment.event]}


def _rated(result: Reviewed) -> dict[str, Any]:
    events = [result.event, *([result.spread_by] if result.spread_by else [])]
    return {
        "round_id": result.round_id,
        "validity": result.validity,
        "tallied_at": result.tallied_at,
        "events": events,
    }


def _said(thing: Duty | Item) -> dict[str, Any]:
    return {**vars(thing), "events": list(thing.events)}


EVIDENCE = Computed(
    name="evidence",
    projections=(Register.name, Evidence.name),
    entry=EvidenceEntry,
    keys=("subject_id", "part", "number"),
    order="subject_id,part,number",
    sorts=("outcome", "due_on", "grade", "validity", "tallied_at"),
    entries=_entries,
)
