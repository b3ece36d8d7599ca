"""What a campaign's decisions may know; they are the office's (R-01)."""

from sqlalchemy import Connection

from avow.eventlog.execute import Asked, Grounds
from avow.kernel.refusal import Refusal, require
from avow.programme import ProgrammeTemplate, UnknownTemplate, load
from avow.register.reading import RegisterReader
from avow_pledge.domain.campaign import Campaign, CampaignCommand, CampaignFacts, DraftCampaign


def campaign_facts(connection: Connection, asked: Asked[CampaignCommand, Campaign]) -> Grounds[CampaignFacts]:
    """The shipped template a draft is drawn from."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    facts = CampaignFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        campaign_id=asked.identity,
        template=_template(asked.command.template) if isinstance(asked.command, DraftCampaign) else None,
    )
    return Grounds(facts, reader.expect, guarded=True)


def campaign_redraft_facts(connection: Connection, asked: Asked[CampaignCommand, Campaign]) -> Grounds[CampaignFacts]:
    """The same, for a campaign that was drafted before."""
    grounds = campaign_facts(connection, asked)
    require(asked.state.draft is not None, "campaign.unknown", "campaign_id")
    return grounds


def _template(key: str) -> ProgrammeTemplate:
    try:
        return load(key)
    except UnknownTemplate as unknown:
        available = ", ".join(unknown.available)
        raise Refusal("campaign.unknown_template", "template", available=available) from unknown
