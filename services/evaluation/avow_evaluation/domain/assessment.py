"""Assessments: the scores of a phase, calculated from the records by the rules in force when it began (R-49).

A sheet holds the units, or the members, of one campaign and phase. Promises: each assessment says everything its
figures came from, down to the ids of the events and the position they were read at, so a replay needs nothing else;
calculated again it gets a new revision only where a figure or what it came from has changed. The rules are the version
in force on the first day of the phase.
A member's own record follows the person to another unit, where they stand on the last of the days scored; what was said
of them is by the unit of the round. A merged unit's record stays its own and ends with it; the unit it went into has
nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from avow.contracts.organisation import Standing
from avow.contracts.scoring import ScoredPart, ScoringRulesPublished
from avow.contracts.values import Exact, Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent
from avow.kernel.refusal import Refusal, require
from avow.programme.vocabulary import Subject
from avow_evaluation.domain.period_recognition import RecognitionScore, Reviewed, recognised
from avow_evaluation.domain.score import Missing, Side, score
from avow_evaluation.domain.scoring_rules import sum_of
from avow_evaluation.domain.sensitivity import Alternative, ClassMeans, Pool, pools_of
from avow_evaluation.domain.work_record import Counted, PartScore

_ASSESSMENTS = uuid5(NAMESPACE_URL, "urn:avow:assessment")


class CalculateAssessments(Command):
    """Score every unit, or every member, for a phase."""

    campaign_id: Identity
    phase: Key
    subject: Subject


class AssessmentCalculated(PrivateEvent, type="assessment.calculated"):
    """A subject's score for a phase, and all it came from; figures out of 100, nine decimals."""

    assessment_id: Identity
    campaign_id: Identity
    phase: Key
    starts_on: date
    ends_on: date
    subject: Subject
    subject_id: Identity
    unit_id: Identity
    category: Key | None
    standing: Standing | None
    revision: int
    rules_version: int
    rules_event: Identity
    recognition_weight: Exact
    work_record_floor: Exact
    recognition_floor: Exact
    parts: tuple[PartScore, ...]
    work_record: Exact | None
    recognition: RecognitionScore | None
    total: Exact | None
    missing: tuple[Missing, ...]
    below_floor: tuple[Side, ...]
    means: tuple[ClassMeans, ...]
    alternatives: tuple[Alternative, ...]
    evidence_position: int


class AssessmentDropped(PrivateEvent, type="assessment.dropped"):
    """The subject is not among those scored for the phase any more."""

    assessment_id: Identity
    subject_id: Identity


AssessmentEvent = AssessmentCalculated | AssessmentDropped


@dataclass(frozen=True)
class Scored:
    """Who is scored, and what is known of them."""

    subject_id: str
    unit_id: str
    category: str | None
    standing: Standing | None
    counted: Mapping[ScoredPart, Counted]
    results: Sequence[Reviewed]


@dataclass(frozen=True)
class Sheet:
    """The last assessment of each subject."""

    latest: Mapping[str, AssessmentCalculated] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AssessmentFacts(Facts):
    """The phase's days, the rules in force on the first of them, who is scored, and the position this was read at."""

    sheet: str
    starts_on: date
    ends_on: date
    today: date
    rules: ScoringRulesPublished | None
    rules_event: str | None
    scored: Sequence[Scored]
    position: int


def decide(command: CalculateAssessments, sheet: Sheet, facts: AssessmentFacts) -> list[AssessmentEvent]:
    require(facts.starts_on <= facts.today, "assessment.too_early", "phase", starts_on=facts.starts_on.isoformat())
    if facts.rules is None or facts.rules_event is None:
        raise Refusal("assessment.no_rules", "phase", starts_on=facts.starts_on.isoformat())
    pools = _pools(facts.rules, facts.scored)
    events: list[AssessmentEvent] = []
    for scored in facts.scored:
        before = sheet.latest.get(scored.subject_id)
        now = _assessed(command, facts, facts.rules, facts.rules_event, scored, pools[scored.category])
        if before is None or now != before.model_copy(update=_without(now)):
            events.append(now.model_copy(update={"revision": 1 if before is None else before.revision + 1}))
    there = {scored.subject_id for scored in facts.scored}
    gone = (before for subject_id, before in sheet.latest.items() if subject_id not in there)
    events += (AssessmentDropped(assessment_id=one.assessment_id, subject_id=one.subject_id) for one in gone)
    return events


def evolve(sheet: Sheet, event: AssessmentEvent) -> Sheet:
    match event:
        case AssessmentCalculated():
            return Sheet({**sheet.latest, event.subject_id: event})
        case AssessmentDropped():
            return Sheet({key: one for key, one in sheet.latest.items() if key != event.subject_id})


assessment: Decider[CalculateAssessments, Sheet, AssessmentFacts, AssessmentEvent] = Decider(
    stream="assessment",
    initial=Sheet(),
    decide=decide,
    evolve=evolve,
    events=(AssessmentCalculated, AssessmentDropped),
)


def sheet_of(campaign_id: str, phase: str, subject: Literal["unit", "member"]) -> str:
    """The identity of a sheet."""
    return f"{campaign_id}/{phase}/{subject}"


def assessment_of(sheet: str, subject_id: str) -> str:
    """The identity of a subject's assessment on a sheet, the same at every revision."""
    return str(uuid5(_ASSESSMENTS, f"{sheet}/{subject_id}"))


def _pools(rules: ScoringRulesPublished, every: Sequence[Scored]) -> dict[str | None, dict[str, Pool]]:
    """For each category, the ballots of each class on all its subjects in the results that are scored."""
    found = {}
    for category in {scored.category for scored in every}:
        heard = (recognised(rules.recognition, scored.results) for scored in every if scored.category == category)
        found[category] = pools_of(spread for one in heard if one is not None for spread in one.result.spread)
    return found


def _assessed(
    command: CalculateAssessments,
    facts: AssessmentFacts,
    rules: ScoringRulesPublished,
    rules_event: str,
    scored: Scored,
    pools: Mapping[str, Pool],
) -> AssessmentCalculated:
    figures = score(rules, scored.counted, scored.results, pools)
    return AssessmentCalculated(
        assessment_id=assessment_of(facts.sheet, scored.subject_id),
        campaign_id=command.campaign_id,
        phase=command.phase,
        starts_on=facts.starts_on,
        ends_on=facts.ends_on,
        subject=command.subject,
        subject_id=scored.subject_id,
        unit_id=scored.unit_id,
        category=scored.category,
        standing=scored.standing,
        revision=1,
        rules_version=rules.version,
        rules_event=rules_event,
        recognition_weight=sum_of(rules.recognition),
        work_record_floor=rules.work_record_floor,
        recognition_floor=rules.recognition_floor,
        parts=figures.parts,
        work_record=figures.work_record,
        recognition=figures.recognition,
        total=figures.total,
        missing=figures.missing,
        below_floor=figures.below_floor,
        means=figures.means,
        alternatives=figures.alternatives,
        evidence_position=facts.position,
    )


def _without(now: AssessmentCalculated) -> dict[str, int]:
    """What makes no revision by itself."""
    return {"revision": now.revision, "evidence_position": now.evidence_position}
