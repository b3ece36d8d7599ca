"""One full example of every public event: what its golden file shows. Everybody in it is invented."""

from datetime import UTC, date, datetime
from decimal import Decimal

from avow.contracts.book import BookOpened
from avow.contracts.campaign import CampaignApproved
from avow.contracts.meeting import CommentRecorded, CommentText, MeetingHeld
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived, Owner
from avow.contracts.organisation import (
    MemberEnrolled,
    MemberLeft,
    PersonErased,
    PersonRegistered,
    RoleAppointed,
    RoleEnded,
    UnitMerged,
    UnitRegistered,
)
from avow.contracts.pledge import (
    ItemWording,
    Metric,
    PledgeItem,
    PledgeItemVerified,
    PledgeMade,
    Pledger,
    PledgeWithdrawn,
    Quantity,
)
from avow.contracts.review import (
    ClassTally,
    ClassWeight,
    ElectorateFrozen,
    ElectoratePart,
    FormRow,
    Grade,
    ReviewForm,
    ReviewRoundAnnounced,
    ReviewRoundClosed,
    ReviewRoundOpened,
    ReviewSubmitted,
    ReviewTallied,
    RowTally,
)
from avow.contracts.scoring import PartWeight, ScoringRulesPublished
from avow.contracts.values import Label
from avow.contracts.work_plan import PlanItem, PlanWording, WorkPlanAdopted
from avow.kernel.message import PublicEvent
from tests.kit.logs import identity

CAMPAIGN, ROUND, PLEDGE, MEETING, OBLIGATION, PLAN = (identity(n) for n in (1, 2, 3, 4, 5, 7))
COMMITTEE, BRANCH, OTHER_BRANCH = (identity(n) for n in (16, 17, 18))
MEMBER, SECRETARY, LEADER, FORGOTTEN = (identity(n) for n in (32, 33, 34, 35))
SINCE = datetime(2010, 6, 1, tzinfo=UTC)
UNTIL = datetime(2012, 6, 30, 15, 59, 59, 999999, tzinfo=UTC)

PLEDGER = Pledger(kind="member", id=MEMBER)
WORDING = ItemWording(
    goal="让新生少跑一趟",
    task="每周二晚为新生答疑",
    measure="与辅导员轮流值班",
    qualitative_indicators=("新生说得清楚去哪里办事",),
    metrics=(Metric(name="答疑次数", metric_unit="次"),),
)
ITEM = PledgeItem(
    criterion="lead.service",
    aims=("aim.service",),
    quantities=(Quantity(baseline=Decimal(0), target=Decimal("24.5"), direction="up"),),
    milestones=(date(2010, 12, 31), date(2011, 6, 30)),
    accountable_person_id=MEMBER,
)
PLAN_ITEM = PlanItem(milestones=(date(2010, 9, 30),), accountable_person_id=SECRETARY)
PLAN_WORDING = PlanWording(goal="新生两周内办完手续", task="编写办事指南", measure="各科室核对一遍后上网")
FORM = ReviewForm(
    rows=(FormRow(key="good.leadership", label=Label(zh="领导班子好", en="Leadership")),),
    grades=(
        Grade(key="satisfied", label=Label(zh="满意", en="Satisfied"), points=Decimal(100), top=True),
        Grade(key="dissatisfied", label=Label(zh="不满意", en="Dissatisfied"), points=Decimal(0), top=False),
    ),
    weights=(ClassWeight(rater_class="public", weight=Decimal("0.6")),),
    invalid_below=Decimal("0.5"),
    warn_below=Decimal("0.8"),
    minimum_ballots=5,
    minimum_share=Decimal("0.1"),
    z=Decimal("1.96"),
)
TALLY = ClassTally(
    rater_class="public",
    eligible=120,
    cast=96,
    minimum=12,
    counted=True,
    weight=Decimal("0.6"),
    share=Decimal("1.000000000"),
    graded=95,
    support="451/5",
    lower_bound=Decimal("0.888193254"),
)
WITHHELD = ClassTally(
    rater_class="peer",
    eligible=9,
    cast=2,
    minimum=5,
    counted=False,
    weight=Decimal("0.4"),
    share=None,
    graded=None,
    support=None,
    lower_bound=None,
)

EXAMPLES: tuple[PublicEvent, ...] = (
    BookOpened.model_validate({"log_id": identity(99), "service": "pledge", "clock": "simulated"}),
    CampaignApproved(
        campaign_id=CAMPAIGN,
        template="cxzy-2010",
        template_version=1,
        title=Label(zh="创先争优活动", en="Strive for excellence"),
        starts_on=date(2010, 6, 1),
        ends_on=date(2012, 6, 30),
        document_text_sha256="0123456789abcdef" * 4,
        programme={"key": "cxzy-2010", "roles": [{"key": "secretary"}], "weights": {"recognition": "0.30"}},
    ),
    UnitRegistered(unit_id=BRANCH, name="计算机系教工支部", kind="branch", category="teaching", parent_id=COMMITTEE),
    UnitMerged(unit_id=OTHER_BRANCH, into_unit_id=BRANCH, since=UNTIL),
    PersonRegistered(person_id=MEMBER, name="钟若岚"),
    PersonErased(person_id=FORGOTTEN, requested_by=SECRETARY, confirmed_by=None),
    MemberEnrolled(person_id=MEMBER, unit_id=BRANCH, standing="probationary", since=SINCE),
    MemberLeft(person_id=MEMBER, unit_id=BRANCH, since=SINCE, until=UNTIL),
    RoleAppointed(role="secretary", unit_id=BRANCH, person_id=SECRETARY, since=SINCE),
    RoleEnded(role="secretary", unit_id=BRANCH, person_id=SECRETARY, since=SINCE, until=UNTIL),
    PledgeMade(
        pledge_id=PLEDGE,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        pledger=PLEDGER,
        phase="phase.pledge",
        items=(ITEM,),
        scope="college",
        channel="noticeboard",
        wording=(WORDING,),
    ),
    PledgeItemVerified(
        pledge_id=PLEDGE, campaign_id=CAMPAIGN, unit_id=BRANCH, pledger=PLEDGER, phase="phase.pledge", item=0
    ),
    PledgeWithdrawn(
        pledge_id=PLEDGE,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        pledger=PLEDGER,
        phase="phase.pledge",
        items=(1,),
        excused=True,
        scope="college",
        reason="实验室搬迁，答疑场所停用",
    ),
    WorkPlanAdopted(
        plan_id=PLAN,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        phase="phase1",
        revision=2,
        service_audience="计算机系本科新生",
        items=(PLAN_ITEM,),
        scope="college",
        wording=(PLAN_WORDING,),
    ),
    MeetingHeld(
        meeting_id=MEETING,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        kind="members_assembly",
        agenda=("stage_summary",),
        chair_id=SECRETARY,
        present=18,
        expected=21,
        scope="public",
        summary="总结上半年践诺情况\n布置下半年安排",
    ),
    CommentRecorded(
        meeting_id=MEETING,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        commentator_id=LEADER,
        grade=92,
        scope="unit",
        text=CommentText(strengths="答疑从不间断", shortcomings="记录不全", directions="把做法写下来"),
        person_id=MEMBER,
    ),
    ObligationAssessed(
        obligation_id=OBLIGATION,
        campaign_id=CAMPAIGN,
        obligation="monthly_committee",
        owner=Owner(kind="unit", id=BRANCH),
        unit_id=BRANCH,
        starts_on=date(2010, 11, 1),
        ends_on=date(2010, 11, 30),
        due_on=date(2010, 11, 30),
        outcome="missed",
        met_on=None,
        met_by=(),
    ),
    ObligationReassessed(
        obligation_id=OBLIGATION, outcome="met_late", met_on=date(2010, 12, 3), met_by=(identity(48),)
    ),
    ObligationWaived(
        obligation_id=OBLIGATION,
        campaign_id=CAMPAIGN,
        obligation="monthly_committee",
        owner=Owner(kind="unit", id=BRANCH),
        unit_id=BRANCH,
        starts_on=date(2010, 11, 1),
        ends_on=date(2010, 11, 30),
        reason="支委外出集中培训",
    ),
    ReviewRoundAnnounced(
        round_id=ROUND,
        campaign_id=CAMPAIGN,
        title=Label(zh="群众评议", en="Public review"),
        subjects=(BRANCH, OTHER_BRANCH),
        opens_at=SINCE,
        closes_at=UNTIL,
        form=FORM,
    ),
    ElectorateFrozen(round_id=ROUND, parts=(ElectoratePart(unit_id=BRANCH, rater_class="public", eligible=120),)),
    ReviewRoundOpened(round_id=ROUND),
    ReviewSubmitted(round_id=ROUND, unit_id=BRANCH, rater_class="public", count=57),
    ReviewRoundClosed(round_id=ROUND, reason="参评名单有误"),
    ReviewTallied(
        round_id=ROUND,
        campaign_id=CAMPAIGN,
        unit_id=BRANCH,
        eligible=129,
        cast=98,
        turnout=Decimal("0.759689922"),
        validity="low",
        classes=(TALLY, WITHHELD),
        rows=(RowTally(key="good.leadership", grades={"satisfied": 88, "dissatisfied": 7}, abstained=1),),
        good_rate=Decimal("0.926315789"),
        recognition=Decimal("88.819325400"),
    ),
    ScoringRulesPublished(
        campaign_id=CAMPAIGN,
        subject="member",
        version=2,
        label=Label(zh="党员考评办法", en="Member scoring rules"),
        effective_from=date(2011, 7, 1),
        work_record=(
            PartWeight(part="fulfilment", weight=Decimal(25)),
            PartWeight(part="study", weight=Decimal(5)),
            PartWeight(part="comments", weight=Decimal(10)),
        ),
        recognition=(
            ClassWeight(rater_class="peer", weight=Decimal(20)),
            ClassWeight(rater_class="mass", weight=Decimal("40.0")),
        ),
        work_record_floor=Decimal(60),
        recognition_floor=Decimal(60),
    ),
)
