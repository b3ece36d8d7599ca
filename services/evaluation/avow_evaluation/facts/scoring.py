"""What rules, assessments and rankings may know, and who may ask for them: the office (R-48, R-49, R-51)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from avow.contracts.scoring import ScoringRulesPublished
from avow.eventlog import reading
from avow.eventlog.execute import Asked, Grounds
from avow.eventlog.types import EventTypes
from avow.kernel.refusal import Refusal
from avow.programme import UnknownKey
from avow.programme.vocabulary import Subject
from avow.projections.projector import position_of
from avow.register.reading import RegisterReader
from avow_evaluation.domain.assessment import (
    AssessmentCalculated,
    AssessmentDropped,
    AssessmentFacts,
    CalculateAssessments,
    Scored,
    Sheet,
    assessment,
    sheet_of,
)
from avow_evaluation.domain.ranking import Candidate, RankCandidates, Ranking, RankingFacts
from avow_evaluation.domain.scoring_rules import (
    PublishScoringRules,
    RulesFacts,
    ScoringRules,
    identity_of,
    scoring_rules,
)
from avow_evaluation.projections.evidence import Evidence
from avow_evaluation.reading.evidence import Period, counted, period_of, reviewed
from avow_evaluation.reading.subjects import leaders_at, subjects_at

_RULES = EventTypes((ScoringRulesPublished,))
_ASSESSMENTS = EventTypes((AssessmentCalculated, AssessmentDropped))


def rules_facts(connection: Connection, asked: Asked[PublishScoringRules, ScoringRules]) -> Grounds[RulesFacts]:
    """The campaign's programme, and the day of publishing in its time zone (R-48)."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    campaign = reader.campaign(asked.command.campaign_id)
    facts = RulesFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        programme=campaign.programme,
        starts_on=campaign.starts_on,
        today=asked.occurred_at.astimezone(ZoneInfo(campaign.programme.time_zone)).date(),
    )
    return Grounds(facts)


def assessment_facts(connection: Connection, asked: Asked[CalculateAssessments, Sheet]) -> Grounds[AssessmentFacts]:
    """The evidence as far as it is known, the rules in force, and who there is (R-49)."""
    command = asked.command
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    period = period_of(reader, command.campaign_id, command.phase)
    rules, rules_event, expect = _rules_in_force(connection, asked.org, period, command.subject)
    counts = counted(connection, asked.org, period, command.subject)
    results = reviewed(connection, asked.org, period, command.subject)
    scored = [
        Scored(
            subject_id=known.subject_id,
            unit_id=known.unit_id,
            category=known.category,
            standing=known.standing,
            counted=counts.get(known.subject_id, {}),
            results=results.get(known.subject_id, ()),
        )
        for known in subjects_at(connection, asked.org, command.subject, _within(period, asked.occurred_at))
    ]
    facts = AssessmentFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        sheet=asked.identity,
        starts_on=period.phase.starts_on,
        ends_on=period.phase.last_day,
        today=period.day_of(asked.occurred_at),
        rules=rules,
        rules_event=rules_event,
        scored=scored,
        position=position_of(connection, asked.org, Evidence()) or 0,
    )
    return Grounds(facts, expect)


def ranking_facts(connection: Connection, asked: Asked[RankCandidates, Ranking]) -> Grounds[RankingFacts]:
    """The last assessments of the award's subjects, and who of them leads (R-51)."""
    command = asked.command
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    period = period_of(reader, command.campaign_id, command.phase)
    try:
        award = period.programme.award(command.award)
    except UnknownKey as unknown:
        raise Refusal("ranking.award_unknown", "award", known=", ".join(unknown.known)) from unknown
    stream = assessment.stream_of(sheet_of(command.campaign_id, command.phase, award.subject))
    at = _within(period, asked.occurred_at)
    leaders = leaders_at(connection, asked.org, period.programme.leading_group_roles, at)
    latest = dict(_latest(connection, asked.org, stream))
    facts = RankingFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        subject=award.subject,
        by_category=award.quota.category_split,
        tie_breaks=period.programme.tie_breaks,
        candidates=[
            Candidate(one, event, None if award.subject == "unit" else subject_id not in leaders)
            for subject_id, (one, event) in latest.items()
        ],
    )
    return Grounds(facts)


def _within(period: Period, at: datetime) -> datetime:
    """A moment, or the last of the period if that is earlier: who was there then is who is scored."""
    return min(at, period.over - timedelta(microseconds=1))


def _rules_in_force(
    connection: Connection, org: str, period: Period, subject: Subject
) -> tuple[ScoringRulesPublished | None, str | None, dict[str, int]]:
    stream = scoring_rules.stream_of(identity_of(period.campaign_id, subject))
    records = reading.stream(connection, org, stream)
    published = list(_RULES.decode_as((ScoringRulesPublished,), records))
    rules = ScoringRules(tuple(published)).in_force(period.phase.starts_on)
    event = None if rules is None else str(records[published.index(rules)].event_id)
    return rules, event, {stream: len(records)}


def _latest(connection: Connection, org: str, stream: str) -> Iterator[tuple[str, tuple[AssessmentCalculated, str]]]:
    """The last assessment of each subject with the event it stands in, by subject."""
    found: dict[str, tuple[AssessmentCalculated, str]] = {}
    for record in reading.stream(connection, org, stream):
        for event in _ASSESSMENTS.decode_as(assessment.events, [record]):
            if isinstance(event, AssessmentCalculated):
                found[event.subject_id] = event, str(record.event_id)
            elif isinstance(event, AssessmentDropped):
                found.pop(event.subject_id, None)
    yield from found.items()
