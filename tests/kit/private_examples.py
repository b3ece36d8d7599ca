"""One full example of every private event: it never travels, and stands in a log for ever all the same."""

from datetime import date
from decimal import Decimal

from avow.contracts.values import Label
from avow.kernel.message import PrivateEvent
from avow_evaluation.domain.assessment import AssessmentCalculated, AssessmentDropped
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.electorate import RollFrozen
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.period_recognition import ClassScore, RecognitionScore
from avow_evaluation.domain.ranking import CandidatesRanked, Place
from avow_evaluation.domain.review_round import CredentialsIssued
from avow_evaluation.domain.sensitivity import Alternative, ClassMeans
from avow_evaluation.domain.spread import ClassSpread, ReviewSpread
from avow_evaluation.domain.work_record import PartScore
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
    SECRETARY,
    TALLY,
    WITHHELD,
    WORDING,
)
from tests.kit.logs import identity

ASSESSMENT = identity(49)

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
    AssessmentCalculated(
        assessment_id=ASSESSMENT,
        campaign_id=CAMPAIGN,
        phase="phase1",
        starts_on=date(2010, 6, 1),
        ends_on=date(2011, 6, 30),
        subject="member",
        subject_id=MEMBER,
        unit_id=BRANCH,
        category="teaching",
        standing="full",
        revision=2,
        rules_version=1,
        rules_event=identity(50),
        recognition_weight=Decimal(60),
        work_record_floor=Decimal(60),
        recognition_floor=Decimal(60),
        parts=(
            PartScore(
                part="fulfilment",
                weight=Decimal(35),
                in_force=Decimal("40.000000000"),
                numerator="3",
                denominator=4,
                value=Decimal("0.750000000"),
                evidence=(identity(51), identity(52)),
            ),
            PartScore(
                part="study",
                weight=Decimal(5),
                in_force=None,
                numerator="0",
                denominator=0,
                value=None,
                evidence=(),
            ),
        ),
        work_record=Decimal("75.000000000"),
        recognition=RecognitionScore(
            round_id=ROUND,
            z=Decimal("1.96"),
            classes=(
                ClassScore(
                    rater_class="public",
                    weight=Decimal(30),
                    in_force=Decimal("60.000000000"),
                    graded=95,
                    support="451/5",
                    lower_bound=Decimal("0.888193254"),
                ),
                ClassScore(
                    rater_class="peer", weight=Decimal(30), in_force=None, graded=None, support=None, lower_bound=None
                ),
            ),
            score=Decimal("88.819325400"),
            evidence=(identity(53),),
        ),
        total=Decimal("83.291595240"),
        missing=(),
        below_floor=(),
        means=(
            ClassMeans(
                rater_class="public", ballots=95, mean="1805/19", shrunk="2185/23", trimmed="8065/85", median="100"
            ),
        ),
        alternatives=(Alternative(method="mean", recognition=Decimal("95.000000000"), total=Decimal("87.000000000")),),
        evidence_position=4711,
    ),
    AssessmentDropped(assessment_id=ASSESSMENT, subject_id=MEMBER),
    CandidatesRanked(
        campaign_id=CAMPAIGN,
        phase="phase1",
        award="award.outstanding_member",
        subject="member",
        category="teaching",
        revision=1,
        places=(
            Place(
                rank=1,
                reason="total",
                subject_id=MEMBER,
                unit_id=BRANCH,
                assessment_id=ASSESSMENT,
                assessment_event=identity(54),
                total=Decimal("83.291595240"),
                recognition=Decimal("88.819325400"),
                fulfilment=Decimal("0.750000000"),
                frontline=True,
                best_rank=1,
                worst_rank=3,
            ),
            Place(
                rank=None,
                reason="no_ledger_row",
                subject_id=SECRETARY,
                unit_id=BRANCH,
                assessment_id=identity(55),
                assessment_event=identity(56),
                total=None,
                recognition=None,
                fulfilment=Decimal("1.000000000"),
                frontline=False,
                best_rank=None,
                worst_rank=None,
            ),
        ),
    ),
)
