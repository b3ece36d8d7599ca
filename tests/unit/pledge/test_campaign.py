"""The rules of a campaign."""

from datetime import date

import pytest
from pydantic import ValidationError

from avow.contracts.campaign import CampaignApproved
from avow.contracts.values import Label
from avow.programme import ProgrammeTemplate, load
from avow_pledge.domain.campaign import (
    ApproveCampaign,
    CampaignDrafted,
    CampaignFacts,
    DraftCampaign,
    campaign,
)
from tests.kit.given import given
from tests.unit.pledge.builders import CAMPAIGN, MOMENT

DRAFT = DraftCampaign(template="cxzy-2010", document_text_sha256="0" * 64)


def facts(template: str = "cxzy-2010") -> CampaignFacts:
    return CampaignFacts(occurred_at=MOMENT, campaign_id=CAMPAIGN, template=load(template))


def drafted(command: DraftCampaign = DRAFT) -> CampaignDrafted:
    (event,) = given(campaign).knowing(facts()).when(command).decided()
    assert isinstance(event, CampaignDrafted)
    return event


def approved(draft: CampaignDrafted) -> CampaignApproved:
    (event,) = given(campaign, draft).knowing(facts()).when(ApproveCampaign()).decided()
    assert isinstance(event, CampaignApproved)
    return event


def test_a_campaign_carries_the_whole_programme_from_its_draft_into_its_approval() -> None:
    """R-01"""
    draft = drafted()
    approval = approved(draft)
    assert ProgrammeTemplate.model_validate(approval.programme) == load("cxzy-2010")
    assert (approval.template, approval.template_version) == ("cxzy-2010", 1)
    assert (approval.title, approval.starts_on, approval.ends_on) == (draft.title, date(2010, 6, 1), None)


def test_a_campaign_has_a_title_and_days_of_its_own_and_its_programme_has_them_too() -> None:
    """R-01, R-18"""
    own = DraftCampaign(
        template="cxzy-2010",
        title=Label(zh="基层创先争优", en="Excellence at the Grassroots"),
        starts_on=date(2010, 5, 1),
        ends_on=date(2012, 12, 31),
    )
    approval = approved(drafted(own))
    programme = ProgrammeTemplate.model_validate(approval.programme)
    assert approval.title == own.title
    assert (approval.starts_on, approval.ends_on) == (own.starts_on, own.ends_on)
    assert (programme.starts_on, programme.ends_on) == (own.starts_on, own.ends_on)
    assert programme.title.en == "Excellence at the Grassroots"


@pytest.mark.parametrize(
    ("days", "at"),
    [
        ({"starts_on": date(2010, 6, 2)}, "starts_on"),
        ({"ends_on": date(2012, 6, 29)}, "ends_on"),
        ({"ends_on": date(2010, 5, 31)}, "ends_on"),
    ],
)
def test_days_that_leave_a_phase_outside_are_refused(days: dict[str, date], at: str) -> None:
    """R-19"""
    command = DraftCampaign(template="cxzy-2010").model_copy(update=days)
    given(campaign).knowing(facts()).when(command).refused("campaign.days_do_not_fit", at)


def test_the_last_draft_is_what_is_approved() -> None:
    second = drafted(DraftCampaign(template="cxzy-2010", ends_on=date(2012, 11, 7)))
    (approval,) = given(campaign, drafted(), second).knowing(facts()).when(ApproveCampaign()).decided()
    assert isinstance(approval, CampaignApproved)
    assert approval.ends_on == date(2012, 11, 7)


def test_an_approved_campaign_is_frozen() -> None:
    draft = drafted()
    history = (draft, approved(draft))
    given(campaign, *history).knowing(facts()).when(DRAFT).refused("campaign.frozen")
    given(campaign, *history).knowing(facts()).when(ApproveCampaign()).refused("campaign.frozen")


def test_a_campaign_nobody_drafted_is_unknown() -> None:
    given(campaign).knowing(facts()).when(ApproveCampaign()).refused("campaign.unknown", "campaign_id")


def test_a_hash_is_a_sha_256_in_lower_case_hexadecimal() -> None:
    with pytest.raises(ValidationError):
        DraftCampaign(template="cxzy-2010", document_text_sha256="A" * 64)
