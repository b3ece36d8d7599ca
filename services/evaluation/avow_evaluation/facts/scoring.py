"""What rules, assessments and rankings may know, and who may ask for them: the office (R-48, R-49, R-51)."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from avow.eventlog.execute import Asked, Grounds
from avow.register.reading import RegisterReader
from avow_evaluation.domain.scoring_rules import PublishScoringRules, RulesFacts, ScoringRules


def rules_facts(connection: Connection, asked: Asked[PublishScoringRules, ScoringRules]) -> Grounds[RulesFacts]:
    """The campaign's programme, and the day of publishing in its time zone (R-48)."""
    reader = RegisterReader(connection, asked.org)
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
