"""The scoring rules (R-48)."""

from fastapi import APIRouter

from avow.contracts.values import Identity
from avow.programme.vocabulary import Subject
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterPosition, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_evaluation.domain.scoring_rules import PublishScoringRules, identity_of, scoring_rules
from avow_evaluation.facts import rules_facts
from avow_evaluation.projections.scoring_rules import PublishedRules
from avow_evaluation.reading.scoring_rules import RulesEntry, rules_entries

router = APIRouter(tags=["rules"], route_class=CommandRoute)


@router.post("/{org}/rules", status_code=201, responses=COMMAND_RESPONSES)
async def publish_rules(body: PublishScoringRules, call: Call) -> Accepted:
    """Publish a version of the rules for units or for members, before what it scores begins; without rules of its
    own in the body, the first one of the campaign's programme."""
    return await call.execute(scoring_rules, identity_of(body.campaign_id, body.subject), body, rules_facts)


@router.get("/{org}/rules", responses=READ_RESPONSES)
async def rules(
    view: View,
    campaign_id: Identity | None = None,
    subject: Subject | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[RulesEntry]:
    """Every version of the rules, in the order they were published."""
    wanted = {"campaign_id": campaign_id, "subject": subject}
    return await view.list(
        PublishedRules.name,
        lambda connection: rules_entries(connection, view.org, wanted, after, limit),
        next_page(limit, lambda entry: entry.position),
    )
