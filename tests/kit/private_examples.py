"""One full example of every private event: it never travels, and stands in a log for ever all the same."""

from datetime import date
from decimal import Decimal

from avow.contracts.values import Label
from avow.kernel.message import PrivateEvent
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.electorate import RollFrozen
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.review_round import CredentialsIssued
from avow_evaluation.domain.spread import ClassSpread, ReviewSpread
from avow_pledge.domain.campaign import CampaignDrafted
from avow_pledge.domain.erasure import ErasureRequested, ErasureWithdrawn
from avow_pledge.domain.pledge import PledgeApproved, PledgeDrafted, PledgeReturned, PledgeSubmitted
from tests.kit.contract_examples import BRANCH, CAMPAIGN, ITEM, MEMBER, PLEDGE, PLEDGER, ROUND, TALLY, WITHHELD, WORDING

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
    ReviewSpread(
        round_id=ROUND, unit_id=BRANCH, classes=(ClassSpread(rater_class="public", ballots={"85": 3, "277/3": 92}),)
    ),
    MemberReviewTallied(
        round_id=ROUND,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        person_id=MEMBER,
        eligible=129,
        cast=98,
        turnout=Decimal("0.759689922"),
        validity="low",
        classes=(TALLY, WITHHELD),
        grades={"excellent": 60, "qualified": 30, "basically_qualified": 5, "unqualified": 0},
        abstained=1,
        good_rate=Decimal("0.947368421"),
        recognition=Decimal("88.819325400"),
        spread=(ClassSpread(rater_class="public", ballots={"70": 5, "85": 30, "100": 60}),),
        rehearsal=False,
    ),
)
