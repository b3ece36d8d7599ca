"""The scoring rules (R-48)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_evaluation.domain.scoring_rules import PublishScoringRules, identity_of, scoring_rules
from avow_evaluation.facts import rules_facts
from avow_evaluation.reading.scoring_rules import RULES, RulesWanted

router = APIRouter(tags=["rules"], route_class=CommandRoute)


@router.post("/{org}/rules", status_code=201, responses=COMMAND_RESPONSES)
async def publish_rules(body: PublishScoringRules, call: Call) -> Accepted:
    """Publish a version of the rules for units or for members, before what it scores begins; without rules of its
    own in the body, the first one of the campaign's programme."""
    return await call.execute(scoring_rules, identity_of(body.campaign_id, body.subject), body, rules_facts)


@router.get("/{org}/rules", **listing(RULES))
async def rules(view: View, wanted: Annotated[RulesWanted, Depends()], page: PageAsked) -> Response:
    """Every version of the rules, in the order they were published."""
    return await answer(view, RULES, wanted, page)
