"""A campaign: a programme an organisation takes up as its own (R-01).

Drafted from a template, as often as it takes → approved. Promises: what is approved is what was drafted last, with the
whole programme in the event; its phases and dated duties lie within its days.
Limit: an approved campaign is not amended.
"""

from dataclasses import dataclass, replace
from datetime import date

from pydantic import JsonValue

from avow.contracts.campaign import CampaignApproved, Digest
from avow.contracts.values import Identity, Key, Label
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent
from avow.kernel.refusal import Refusal, require
from avow.programme import ProgrammeTemplate
from avow.programme.consistency import problems
from avow.programme.vocabulary import Label as ProgrammeLabel


class DraftCampaign(Command):
    """Draw a campaign up from a template, or anew; with a title and days of its own where they are given.

    `document_text_sha256` is of the programme document's text, in UTF-8.
    """

    template: Key
    title: Label | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    document_text_sha256: Digest | None = None


class ApproveCampaign(Command):
    """Take a drafted campaign up."""


CampaignCommand = DraftCampaign | ApproveCampaign


class CampaignDrafted(PrivateEvent, type="campaign.drafted"):
    """`programme` is the template with the campaign's own title and days."""

    campaign_id: Identity
    template: Key
    template_version: int
    title: Label
    starts_on: date
    ends_on: date | None
    document_text_sha256: Digest | None
    programme: dict[str, JsonValue]


CampaignEvent = CampaignDrafted | CampaignApproved


@dataclass(frozen=True)
class Campaign:
    """What the next decision needs."""

    draft: CampaignDrafted | None = None
    approved: bool = False


@dataclass(frozen=True, kw_only=True)
class CampaignFacts(Facts):
    """The template a draft is drawn from."""

    campaign_id: str
    template: ProgrammeTemplate | None = None


@dataclass(frozen=True)
class RunningCampaign:
    """An approved campaign as other decisions see it, and the day of their matter in its time zone."""

    campaign_id: str
    programme: ProgrammeTemplate
    starts_on: date
    ends_on: date | None
    today: date

    def includes(self, day: date) -> bool:
        """Whether a day lies within the campaign; its first and its last day do."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


def decide(command: CampaignCommand, campaign: Campaign, facts: CampaignFacts) -> list[CampaignEvent]:
    match command:
        case DraftCampaign():
            require(not campaign.approved, "campaign.frozen")
            return [_drafted(command, facts)]
        case ApproveCampaign():
            if campaign.draft is None:
                raise Refusal("campaign.unknown", "campaign_id")
            require(not campaign.approved, "campaign.frozen")
            return [_approved(campaign.draft)]


def evolve(campaign: Campaign, event: CampaignEvent) -> Campaign:
    match event:
        case CampaignDrafted():
            return Campaign(draft=event)
        case CampaignApproved():
            return replace(campaign, approved=True)


campaign: Decider[CampaignCommand, Campaign, CampaignFacts, CampaignEvent] = Decider(
    stream="campaign",
    initial=Campaign(),
    decide=decide,
    evolve=evolve,
    events=(CampaignDrafted, CampaignApproved),
)


def _drafted(command: DraftCampaign, facts: CampaignFacts) -> CampaignDrafted:
    assert facts.template is not None
    programme = _own_programme(command, facts.template)
    return CampaignDrafted(
        campaign_id=facts.campaign_id,
        template=programme.key,
        template_version=programme.version,
        title=Label(zh=programme.title.zh, en=programme.title.en),
        starts_on=programme.starts_on,
        ends_on=programme.ends_on,
        document_text_sha256=command.document_text_sha256,
        programme=programme.model_dump(mode="json"),
    )


def _own_programme(command: DraftCampaign, template: ProgrammeTemplate) -> ProgrammeTemplate:
    """The template with what the campaign says itself; refused where a phase or a dated duty would lie outside it."""
    title = template.title if command.title is None else ProgrammeLabel(zh=command.title.zh, en=command.title.en)
    days = {"starts_on": command.starts_on or template.starts_on, "ends_on": command.ends_on or template.ends_on}
    programme = template.model_copy(update={"title": title, **days})
    for problem in problems(programme):
        at_the_start = problem.path.endswith("starts_on") or command.ends_on is None
        raise Refusal("campaign.days_do_not_fit", "starts_on" if at_the_start else "ends_on", at=problem.path)
    return programme


def _approved(draft: CampaignDrafted) -> CampaignApproved:
    return CampaignApproved(
        campaign_id=draft.campaign_id,
        template=draft.template,
        template_version=draft.template_version,
        title=draft.title,
        starts_on=draft.starts_on,
        ends_on=draft.ends_on,
        document_text_sha256=draft.document_text_sha256,
        programme=draft.programme,
    )
