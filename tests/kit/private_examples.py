"""One full example of every private event: it never travels, and stands in a log for ever all the same."""

from datetime import date
from decimal import Decimal

from avow.contracts.values import Label
from avow.kernel.message import PrivateEvent
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.electorate import RollFrozen
from avow_evaluation.domain.review_round import CredentialsIssued
from avow_pledge.domain.campaign import CampaignDrafted
from avow_pledge.domain.erasure import ErasureRequested, ErasureWithdrawn
from avow_pledge.domain.pledge import (
    PledgeApproved,
    PledgeDrafted,
    PledgePlaceTaken,
    PledgeProgressReported,
    PledgeReturned,
    PledgeSubmitted,
)
from avow_pledge.domain.work_plan import WorkPlanDrafted, WorkPlanReturned, WorkPlanRevised
from tests.kit.contract_examples import (
    BRANCH,
    CAMPAIGN,
    ITEM,
    MEMBER,
    PLAN,
    PLAN_ITEM,
    PLAN_WORDING,
    PLEDGE,
    PLEDGER,
    ROUND,
    WORDING,
)
from tests.kit.logs import identity

PRIVATE_EXAMPLES: tuple[PrivateEvent, ...] = (
    CampaignDrafted(
        campaign_id=CAMPAIGN,
        template="cxzy-2010",
        template_version=1,
        title=Label(zh="创先争优活动", en="Strive for excellence"),
        starts_on=date(2010, 6, 1),
        ends_on=date(2012, 6, 30),
        document_text_sha256="0123456789abcdef" * 4,
        programme={"key": "cxzy-2010", "roles": [{"key": "secretary"}], "weights": {"recognition": "0.30"}},
    ),
    ErasureRequested(person_id=MEMBER, basis="consent_withdrawn", requested_by=None),
    ErasureWithdrawn(person_id=MEMBER),
    PledgeDrafted(
        pledge_id=PLEDGE,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        pledger=PLEDGER,
        phase="phase.pledge",
        scope="college",
        items=(ITEM,),
        missing=("items[0].milestones",),
        wording=(WORDING,),
    ),
    PledgeSubmitted(pledge_id=PLEDGE),
    PledgeReturned(pledge_id=PLEDGE, unit_id=BRANCH, reason="请补上时间节点\n再交一次"),
    PledgeApproved(pledge_id=PLEDGE),
    PledgePlaceTaken(place_id=identity(6), pledge_id=PLEDGE),
    PledgeProgressReported(
        pledge_id=PLEDGE,
        unit_id=BRANCH,
        item=0,
        quantity=0,
        value=Decimal("18.5"),
        percent=None,
        fulfilled=True,
        evidence_sha256="0123456789abcdef" * 4,
        scope="college",
        note="已答疑十八次，半次改为线上",
    ),
    WorkPlanDrafted(
        plan_id=PLAN,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        phase="phase1",
        revision=1,
        service_audience="计算机系本科新生",
        items=(PLAN_ITEM,),
        scope="college",
        wording=(PLAN_WORDING,),
    ),
    WorkPlanReturned(plan_id=PLAN, unit_id=BRANCH, reason="请写明责任人"),
    WorkPlanRevised(plan_id=PLAN, unit_id=BRANCH, reason="责任人调离"),
    RollFrozen(round_id=ROUND, unit_id=BRANCH, rater_class="public", entries=("20100101", "20100102", MEMBER)),
    CredentialsIssued(
        round_id=ROUND, unit_id=BRANCH, rater_class="public", generation=2, hashes=("0" * 64, "0123456789abcdef" * 4)
    ),
    BallotCast(
        round_id=ROUND,
        unit_id=BRANCH,
        rater_class="public",
        rows={"good.leadership": "satisfied", "good.team": None},
    ),
)
