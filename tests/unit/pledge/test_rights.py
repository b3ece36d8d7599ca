"""Who may do what, and on which facts it rests; on each engine (R-57…R-58)."""

from datetime import UTC, datetime, timedelta
from functools import partial

from avow.contracts.meeting import MeetingHeld
from avow.contracts.pledge import Pledger
from avow.eventlog.execute import Asked
from avow_pledge.domain.campaign import ApproveCampaign, DraftCampaign, campaign
from avow_pledge.domain.meeting import Meeting, MeetingCommand, meeting
from avow_pledge.domain.membership import EnrolMember, LeaveUnit, Membership, MembershipCommand, membership
from avow_pledge.domain.person import RegisterPerson, person
from avow_pledge.domain.pledge import (
    ApprovePledge,
    MakePledge,
    Pledge,
    PledgeCommand,
    PledgeDrafted,
    ReturnPledge,
    SubmitPledge,
    pledge,
)
from avow_pledge.domain.role import EndRole, role
from avow_pledge.domain.unit import unit
from avow_pledge.facts import (
    campaign_facts,
    campaign_redraft_facts,
    meeting_facts,
    membership_facts,
    person_facts,
    pledge_facts,
    pledge_redraft_facts,
    role_facts,
    unit_facts,
)
from tests.kit.logs import ORG, START, identity
from tests.unit.pledge.builders import (
    CAMPAIGN,
    LEADER,
    MEETING,
    MEMBER,
    OTHER_UNIT,
    PLEDGE,
    SECRETARY,
    UNIT,
    an_item,
)
from tests.unit.pledge.college import (
    COMMITTEE,
    NOBODY,
    OFFICE_HAND,
    OUTSIDER,
    College,
    a_comment,
    a_draft,
    a_meeting,
    a_unit,
    appoint,
)

NEW = identity(200)
OF_THE_UNIT = a_draft().model_copy(
    update={
        "pledger": Pledger(kind="unit", id=UNIT),
        "items": tuple([an_item(criterion="good.members")] * 10),
    }
)


def a_drafted(unit_id: str) -> PledgeDrafted:
    return PledgeDrafted(
        pledge_id=PLEDGE,
        campaign_id=CAMPAIGN,
        unit_id=unit_id,
        pledger=Pledger(kind="unit", id=unit_id),
        phase=None,
        scope="college",
        items=(),
        missing=(),
        wording=(),
    )


async def test_the_register_is_the_offices_to_keep(college: College) -> None:
    for actor, code in ((SECRETARY, "actor.lacks_role"), (NOBODY, "actor.unknown")):
        draft, name = DraftCampaign(template="cxzy-2010"), RegisterPerson(name="祁安然")
        enrol = EnrolMember(unit_id=UNIT, standing="full")
        assert await college.refuses(campaign, NEW, draft, campaign_facts, actor) == code
        assert await college.refuses(unit, NEW, a_unit("branch", COMMITTEE), unit_facts, actor) == code
        assert await college.refuses(person, NEW, name, person_facts, actor) == code
        assert await college.refuses(membership, OFFICE_HAND, enrol, membership_facts, actor) == code
        assert await college.refuses(role, f"{OTHER_UNIT}/secretary", appoint(OUTSIDER), role_facts, actor) == code
    await college.tell(unit, NEW, a_unit("branch", COMMITTEE), unit_facts, OFFICE_HAND)


async def test_a_right_is_gone_once_the_role_has_ended(college: College) -> None:
    await college.tell(role, f"{COMMITTEE}/office_staff", EndRole(person_id=OFFICE_HAND), role_facts)
    refused = await college.refuses(person, NEW, RegisterPerson(name="祁安然"), person_facts, OFFICE_HAND)
    assert refused == "actor.lacks_role"


async def test_a_campaign_names_a_template_that_is_shipped(college: College) -> None:
    unheard_of = DraftCampaign(template="cxzy-1966")
    assert await college.refuses(campaign, NEW, unheard_of, campaign_facts) == "campaign.unknown_template"


async def test_nothing_is_drafted_anew_that_was_never_drafted(college: College) -> None:
    draft = DraftCampaign(template="cxzy-2010")
    assert await college.refuses(campaign, NEW, draft, campaign_redraft_facts) == "campaign.unknown"
    assert await college.refuses(campaign, NEW, ApproveCampaign(), campaign_facts) == "campaign.unknown"
    assert await college.refuses(pledge, NEW, a_draft(), pledge_redraft_facts) == "pledge.unknown"
    assert await college.refuses(pledge, NEW, SubmitPledge(), pledge_facts) == "pledge.unknown"


async def test_no_pledge_exists_without_an_approved_campaign(college: College) -> None:
    """R-01"""
    await college.tell(campaign, NEW, DraftCampaign(template="cxzy-2010"), campaign_facts)
    early = a_draft().model_copy(update={"campaign_id": NEW})
    assert await college.refuses(pledge, PLEDGE, early, pledge_facts) == "campaign.unknown"


async def test_a_pledge_goes_from_its_member_over_the_secretary_back_to_the_member(college: College) -> None:
    """R-28"""
    for actor, code in ((OUTSIDER, "actor.lacks_role"), (NOBODY, "actor.unknown")):
        assert await college.refuses(pledge, PLEDGE, a_draft(), pledge_facts, actor) == code
    await college.tell(pledge, PLEDGE, a_draft(), pledge_facts, MEMBER)
    await college.tell(pledge, PLEDGE, a_draft(), pledge_redraft_facts, SECRETARY)
    await college.tell(pledge, PLEDGE, SubmitPledge(), pledge_facts, MEMBER)
    for actor in (MEMBER, LEADER):
        for command in (ApprovePledge(), ReturnPledge(reason="请写明时间节点")):
            assert await college.refuses(pledge, PLEDGE, command, pledge_facts, actor) == "actor.lacks_role"
    await college.tell(pledge, PLEDGE, ApprovePledge(), pledge_facts, SECRETARY)
    made = await college.tell(pledge, PLEDGE, MakePledge(channel="website"), pledge_facts, MEMBER)
    assert made.events[0].version == 5


async def test_a_secretary_does_not_approve_their_own_pledge_but_the_office_does(college: College) -> None:
    """R-58"""
    own = a_draft().model_copy(update={"pledger": a_draft().pledger.model_copy(update={"id": SECRETARY})})
    await college.tell(pledge, PLEDGE, own, pledge_facts, SECRETARY)
    await college.tell(pledge, PLEDGE, SubmitPledge(), pledge_facts, SECRETARY)
    refused = await college.refuses(pledge, PLEDGE, ApprovePledge(), pledge_facts, SECRETARY)
    assert refused == "pledge.own_approval"
    await college.tell(pledge, PLEDGE, ApprovePledge(), pledge_facts, OFFICE_HAND)


async def test_a_secretary_does_not_approve_the_units_pledge_but_the_office_does(college: College) -> None:
    """R-58"""
    await college.tell(pledge, PLEDGE, OF_THE_UNIT, pledge_facts, SECRETARY)
    await college.tell(pledge, PLEDGE, SubmitPledge(), pledge_facts, SECRETARY)
    for command in (ApprovePledge(), ReturnPledge(reason="请写明时间节点")):
        assert await college.refuses(pledge, PLEDGE, command, pledge_facts, SECRETARY) == "pledge.own_approval"
    await college.tell(pledge, PLEDGE, ApprovePledge(), pledge_facts, OFFICE_HAND)


async def test_nobody_becomes_the_units_secretary_under_their_approval_or_comment(college: College) -> None:
    """R-36, R-58: both rest on who is secretary, and on there being none."""
    now = college.clock.now()
    for unit_id, version in ((UNIT, 1), (OTHER_UNIT, 0)):
        drafted = a_drafted(unit_id)
        vetting: Asked[PledgeCommand, Pledge] = Asked(
            ORG, PLEDGE, ApprovePledge(), pledge.fold([drafted]), OFFICE_HAND, now, now
        )
        approval = await college.see(partial(pledge_facts, asked=vetting))
        assert approval.expect[f"role/{unit_id}/secretary"] == version
        held = MeetingHeld(
            meeting_id=MEETING,
            **a_meeting().model_copy(update={"unit_id": unit_id}).model_dump(exclude={"occurred_at", "late_reason"}),
        )
        commenting: Asked[MeetingCommand, Meeting] = Asked(
            ORG, MEETING, a_comment(), meeting.fold([held]), LEADER, now, now
        )
        comment = await college.see(partial(meeting_facts, asked=commenting))
        assert comment.expect[f"role/{unit_id}/secretary"] == version


async def test_whoever_has_left_the_unit_neither_pledges_nor_answers_for_an_item(college: College) -> None:
    """R-26"""
    await college.tell(pledge, PLEDGE, a_draft(), pledge_facts, MEMBER)
    await college.tell(membership, MEMBER, LeaveUnit(unit_id=UNIT), membership_facts)
    assert await college.refuses(pledge, PLEDGE, SubmitPledge(), pledge_facts, MEMBER) == "pledge.pledger_not_member"


async def test_a_membership_counts_at_the_moment_a_matter_happened(college: College) -> None:
    """R-06"""
    before = college.clock.now()
    await college.tell(membership, MEMBER, LeaveUnit(unit_id=UNIT), membership_facts)
    late = a_draft().model_copy(update={"occurred_at": before})
    await college.tell(pledge, PLEDGE, late, pledge_facts, SECRETARY)
    assert await college.refuses(pledge, NEW, a_draft(), pledge_facts, SECRETARY) == "pledge.pledger_not_member"


async def test_a_day_is_a_day_of_the_campaigns_time_zone(college: College) -> None:
    midnight = datetime(2010, 9, 30, 16, tzinfo=UTC)
    for moment, day in ((midnight - timedelta(microseconds=1), 30), (midnight, 1)):
        asked: Asked[PledgeCommand, Pledge] = Asked(ORG, PLEDGE, a_draft(), Pledge(), None, moment, midnight)
        grounds = await college.see(partial(pledge_facts, asked=asked))
        assert grounds.facts.campaign.today.day == day


async def test_nothing_happens_in_a_unit_that_is_not_there_yet(college: College) -> None:
    early = a_meeting().model_copy(update={"occurred_at": START})
    assert await college.refuses(meeting, MEETING, early, meeting_facts) == "unit.not_yet"


async def test_a_meeting_is_its_secretarys_to_record_and_a_comment_its_leaders(college: College) -> None:
    """R-33, R-36"""
    assert await college.refuses(meeting, MEETING, a_meeting(), meeting_facts, MEMBER) == "actor.lacks_role"
    assert await college.refuses(meeting, MEETING, a_comment(), meeting_facts, LEADER) == "meeting.unknown"
    await college.tell(meeting, MEETING, a_meeting(), meeting_facts, SECRETARY)
    for actor, body in ((SECRETARY, a_comment()), (SECRETARY, a_comment(LEADER)), (OFFICE_HAND, a_comment())):
        assert await college.refuses(meeting, MEETING, body, meeting_facts, actor) == "actor.lacks_role"
    assert await college.refuses(meeting, MEETING, a_comment(), meeting_facts) == "comment.commentator_missing"
    assert await college.refuses(meeting, MEETING, a_comment(NOBODY), meeting_facts) == "person.unknown"
    outsider = await college.refuses(meeting, MEETING, a_comment(OUTSIDER), meeting_facts, OFFICE_HAND)
    assert outsider == "comment.not_leading_group"
    await college.tell(meeting, MEETING, a_comment(LEADER), meeting_facts, OFFICE_HAND)
    again = await college.refuses(meeting, MEETING, a_comment(), meeting_facts, LEADER)
    assert again == "comment.made_already"


async def test_a_leader_who_joins_the_unit_comments_on_it_no_more(college: College) -> None:
    """R-36"""
    await college.tell(meeting, MEETING, a_meeting(), meeting_facts)
    await college.tell(membership, LEADER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    await college.tell(membership, LEADER, EnrolMember(unit_id=UNIT, standing="full"), membership_facts)
    assert await college.refuses(meeting, MEETING, a_comment(), meeting_facts, LEADER) == "comment.own_unit"


async def test_a_secretary_stays_a_member_until_the_role_has_ended(college: College) -> None:
    leave = LeaveUnit(unit_id=UNIT)
    assert await college.refuses(membership, SECRETARY, leave, membership_facts) == "membership.secretary_stays"
    await college.tell(role, f"{UNIT}/secretary", EndRole(person_id=SECRETARY), role_facts)
    await college.tell(membership, SECRETARY, leave, membership_facts)
    refused = await college.refuses(role, f"{UNIT}/secretary", appoint(SECRETARY), role_facts)
    assert refused == "role.secretary_not_member"


async def test_a_leave_rests_on_who_is_secretary_and_on_there_being_none(college: College) -> None:
    now = college.clock.now()
    for person_id, unit_id, version in ((MEMBER, UNIT, 1), (OUTSIDER, OTHER_UNIT, 0)):
        leave = LeaveUnit(unit_id=unit_id)
        asked: Asked[MembershipCommand, Membership] = Asked(ORG, person_id, leave, Membership(), None, now, now)
        grounds = await college.see(partial(membership_facts, asked=asked))
        assert grounds.expect[f"role/{unit_id}/secretary"] == version
