"""Campaigns (R-01)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.contracts.values import Identity
from avow.register.projection import Register
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_pledge.domain.campaign import ApproveCampaign, DraftCampaign, campaign
from avow_pledge.facts import campaign_facts, campaign_redraft_facts
from avow_pledge.reading.register import CAMPAIGNS, CampaignPage, CampaignsWanted, campaign_page

router = APIRouter(tags=["campaigns"], route_class=CommandRoute)


@router.post("/{org}/campaigns", status_code=201, responses=COMMAND_RESPONSES)
async def draft_campaign(body: DraftCampaign, call: Call) -> Accepted:
    """Draw a campaign up from a programme template."""
    return await call.create(campaign, body, campaign_facts)


@router.post("/{org}/campaigns/{campaign_id}/draft", status_code=201, responses=COMMAND_RESPONSES)
async def redraft_campaign(campaign_id: Identity, body: DraftCampaign, call: Call) -> Accepted:
    """Draw a campaign up anew, before it is approved."""
    return await call.execute(campaign, campaign_id, body, campaign_redraft_facts)


@router.post("/{org}/campaigns/{campaign_id}/approve", status_code=201, responses=COMMAND_RESPONSES)
async def approve_campaign(campaign_id: Identity, body: ApproveCampaign, call: Call) -> Accepted:
    """Take a drafted campaign up; from then on there can be pledges (R-01)."""
    return await call.execute(campaign, campaign_id, body, campaign_facts)


@router.get("/{org}/campaigns", **listing(CAMPAIGNS))
async def campaigns(view: View, wanted: Annotated[CampaignsWanted, Depends()], page: PageAsked) -> Response:
    """The approved campaigns, by identity."""
    return await answer(view, CAMPAIGNS, wanted, page)


@router.get("/{org}/campaigns/{campaign_id}", responses=READ_RESPONSES)
async def approved_campaign(campaign_id: Identity, view: View) -> CampaignPage:
    """An approved campaign with its programme: every key that commands may use."""
    _, page = await view.read(Register.name, lambda connection, _: campaign_page(connection, view.org, campaign_id))
    return page
