"""What the views of the pledge service show and what they keep closed, on each engine."""

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, delete, select

from avow.contracts.meeting import CommentText
from avow.contracts.pledge import Pledger
from avow.eventlog.keys import destroy_keys
from avow.eventlog.seals import ERASED
from avow.kernel.refusal import Refusal
from avow.programme import ProgrammeTemplate, load
from avow.projections.checksum import checksum
from avow.projections.listing import AnyList, Asked
from avow.projections.projection import Projection
from avow.projections.projector import checkpoint, project
from avow.register.people import PEOPLE, PeopleWanted
from avow_pledge.domain.meeting import meeting
from avow_pledge.domain.membership import LeaveUnit, membership
from avow_pledge.domain.obligation import AssessObligations, obligation_round
from avow_pledge.domain.pledge import (
    ApprovePledge,
    MakePledge,
    ReportProgress,
    SubmitPledge,
    VerifyItem,
    WithdrawPledge,
    pledge,
)
from avow_pledge.domain.role import EndRole, role
from avow_pledge.domain.work_plan import work_plan
from avow_pledge.facts import (
    meeting_facts,
    membership_facts,
    obligation_facts,
    pledge_facts,
    role_facts,
    work_plan_facts,
)
from avow_pledge.projections import PROJECTIONS
from avow_pledge.projections.pledge_wall import PledgeWall, wall
from avow_pledge.reading.meetings import COMMENTS, MEETINGS, CommentsWanted, MeetingsWanted
from avow_pledge.reading.pledges import PLEDGES, PledgesWanted, WallEntry
from avow_pledge.reading.register import (
    CAMPAIGNS,
    MEMBERSHIPS,
    UNITS,
    CampaignsWanted,
    MembershipsWanted,
    RolesWanted,
    UnitsWanted,
    campaign_page,
)
from avow_pledge.reading.register import (
    ROLES as HOLDINGS,
)
from tests.kit.logs import ORG, identity
from tests.unit.pledge.builders import CAMPAIGN, LEADER, MEETING, MEMBER, OTHER_UNIT, PLEDGE, SECRETARY, UNIT
from tests.unit.pledge.college import (
    COMMITTEE,
    NAMES,
    OUTSIDER,
    ROLES,
    College,
    Entry,
    W,
    a_comment,
    a_draft,
    a_draft_of,
    a_meeting,
)
from tests.unit.pledge.test_work_plan import PLAN, a_plan

OTHER_PLEDGE, THIRD_PLEDGE, ROUND = identity(301), identity(302), identity(303)


PLEDGERS = {PLEDGE: (MEMBER, UNIT), OTHER_PLEDGE: (SECRETARY, UNIT), THIRD_PLEDGE: (LEADER, OTHER_UNIT)}


async def make(college: College, pledge_id: str = PLEDGE, scope: str = "college") -> None:
    await college.tell(pledge, pledge_id, a_draft_of(*PLEDGERS[pledge_id], scope), pledge_facts)
    await college.tell(pledge, pledge_id, SubmitPledge(), pledge_facts)
    await college.tell(pledge, pledge_id, ApprovePledge(), pledge_facts)
    await college.tell(pledge, pledge_id, MakePledge(channel="website"), pledge_facts)


async def hold(college: College, scope: str = "college") -> None:
    await college.tell(meeting, MEETING, a_meeting(scope), meeting_facts)
    await college.tell(meeting, MEETING, a_comment(), meeting_facts, LEADER)


async def the_wall(college: College) -> list[WallEntry]:
    return await college.entries(PLEDGES, PledgesWanted())


async def erase(college: College, subject: str) -> None:
    assert await college.log.database.write(lambda connection: destroy_keys(connection, ORG, [subject]))


async def test_a_pledge_is_on_the_wall_once_it_is_made_and_not_before(college: College) -> None:
    """R-29"""
    await college.tell(pledge, OTHER_PLEDGE, a_draft(), pledge_facts)
    assert await the_wall(college) == []
    await make(college)
    (entry,) = await the_wall(college)
    assert (entry.pledge_id, entry.pledger) == (PLEDGE, Pledger(kind="member", id=MEMBER))
    assert (entry.unit_id, entry.phase, entry.scope, entry.channel) == (UNIT, "phase1", "college", "website")
    assert (entry.first_milestone, entry.last_milestone) == (date(2010, 9, 30), date(2011, 5, 31))
    assert entry.made_at == college.clock.now()
    assert entry.items == [item.structure() for item in a_draft().items]
    assert entry.wording == [item.words() for item in a_draft().items]


async def test_the_wall_keeps_a_narrower_wording_sealed_and_shows_what_is_for_everybody(college: College) -> None:
    """R-29"""
    await make(college, PLEDGE, "branch")
    await make(college, OTHER_PLEDGE, "public")
    sql = wall.sql(PledgeWall.version)
    rows = await college.see(lambda connection: connection.execute(select(sql).order_by(sql.c.position)).all())
    assert [(row.wording is None, row.sealed_wording is None) for row in rows] == [(True, False), (False, True)]
    assert rows[0].sealed_wording.subject == f"scope/branch/{UNIT}"
    await erase(college, f"scope/branch/{UNIT}")
    for_all, narrower = await the_wall(college)
    assert narrower.wording == ERASED
    assert for_all.wording == [item.words() for item in a_draft("public").items]


async def test_the_wall_shows_the_newest_first_page_by_page_and_narrowed(college: College) -> None:
    for pledge_id, scope in ((PLEDGE, "branch"), (OTHER_PLEDGE, "public"), (THIRD_PLEDGE, "public")):
        await make(college, pledge_id, scope)

    first, rest = await pages(college, PLEDGES, PledgesWanted(), 2)
    narrowed = await college.entries(PLEDGES, PledgesWanted(CAMPAIGN, UNIT, MEMBER, scope="branch"))
    elsewhere = await college.entries(PLEDGES, PledgesWanted(unit_id=COMMITTEE))
    shown = [[entry.pledge_id for entry in page] for page in (first, rest, narrowed, elsewhere)]
    assert shown == [[THIRD_PLEDGE, OTHER_PLEDGE], [PLEDGE], [PLEDGE], []]


async def pages(college: College, listed: AnyList[W, Entry], wanted: W, limit: int) -> list[list[Entry]]:
    """A list page by page."""
    now, asked = college.clock.now(), Asked(limit=limit)
    found = []
    while True:
        page = await college.see(partial(listed.page, org=ORG, wanted=wanted, now=now, asked=asked))
        found.append(page.items)
        if page.next is None:
            return found
        asked = Asked(after=page.next, limit=limit)


async def test_a_meeting_shows_its_comments_and_how_many_there_are(college: College) -> None:
    """R-33, R-36"""
    await hold(college)
    (held,) = await college.entries(MEETINGS, MeetingsWanted(CAMPAIGN, UNIT, "branch_committee"))
    assert (held.agenda, held.chair_id, held.present, held.expected) == (["campaign"], SECRETARY, 5, 7)
    assert (held.summary, held.comments) == ("通报承诺进展", 1)
    (comment,) = await college.entries(COMMENTS, CommentsWanted(MEETING, UNIT, LEADER))
    assert comment.text == CommentText(strengths="承诺具体", shortcomings="时间节点偏晚", directions="每月公布一次")
    assert comment.commented_at == held.held_at + timedelta(hours=1)
    assert await college.entries(MEETINGS, MeetingsWanted(kind="symposium")) == []
    assert await college.entries(COMMENTS, CommentsWanted(unit_id=OTHER_UNIT)) == []


async def test_comments_on_a_member_show_beside_those_on_the_unit(college: College) -> None:
    """R-36"""
    await hold(college)
    on_a_member = a_comment().model_copy(update={"person_id": MEMBER, "grade": 91})
    await college.tell(meeting, MEETING, on_a_member, meeting_facts, LEADER)
    on_a_stranger = on_a_member.model_copy(update={"person_id": OUTSIDER})
    assert await college.refuses(meeting, MEETING, on_a_stranger, meeting_facts, LEADER) == "comment.person_not_member"
    newest, older = await college.entries(COMMENTS, CommentsWanted(MEETING))
    assert (newest.person_id, newest.grade, older.person_id) == (MEMBER, 91, None)
    assert await college.entries(COMMENTS, CommentsWanted(person_id=MEMBER)) == [newest]


@pytest.mark.parametrize(("scope", "shown"), [("public", "通报承诺进展"), ("branch", ERASED)])
async def test_what_is_said_to_everybody_outlives_the_keys(college: College, scope: str, shown: str) -> None:
    await hold(college, scope)
    if scope != "public":
        await erase(college, f"scope/{scope}/{UNIT}")
    (held,) = await college.entries(MEETINGS, MeetingsWanted())
    (comment,) = await college.entries(COMMENTS, CommentsWanted())
    assert held.summary == shown
    assert (comment.text == ERASED) == (shown == ERASED)


async def test_people_show_by_name_until_their_key_is_destroyed(college: College) -> None:
    await erase(college, f"person/{MEMBER}")
    people = await college.entries(PEOPLE, PeopleWanted())
    assert {entry.person_id: entry.name for entry in people} == NAMES | {MEMBER: ERASED}
    assert "柳承远" not in repr(people)


async def test_lists_go_on_where_the_page_before_ended(college: College) -> None:
    units = await pages(college, UNITS, UnitsWanted(), 2)
    assert [[entry.unit_id for entry in page] for page in units] == [[UNIT, OTHER_UNIT], [COMMITTEE]]
    everybody = sorted((unit_id, held, person_id) for (unit_id, held), person_id in ROLES.items())
    holdings = [
        [(e.unit_id, e.role, e.person_id) for e in page] for page in await pages(college, HOLDINGS, RolesWanted(), 2)
    ]
    assert holdings == [everybody[:2], everybody[2:]]


async def test_memberships_and_roles_show_as_they_stood_at_a_moment(college: College) -> None:
    """R-06, R-56"""
    before = college.clock.now()
    await college.tell(membership, MEMBER, LeaveUnit(unit_id=UNIT), membership_facts)
    await college.tell(role, f"{UNIT}/secretary", EndRole(person_id=SECRETARY), role_facts)

    for at, members, secretaries in ((before, [MEMBER, SECRETARY], [SECRETARY]), (None, [SECRETARY], [])):
        shown = await college.entries(MEMBERSHIPS, MembershipsWanted(UNIT, at=at))
        held = await college.entries(HOLDINGS, RolesWanted(UNIT, "secretary", at=at))
        assert [entry.person_id for entry in shown] == members
        assert [entry.person_id for entry in held] == secretaries


async def test_a_campaign_shows_its_programme(college: College) -> None:
    """R-01"""
    (entry,) = await college.entries(CAMPAIGNS, CampaignsWanted())
    assert (entry.campaign_id, entry.template, entry.ends_on) == (CAMPAIGN, "cxzy-2010", None)
    page = await college.see(lambda connection: campaign_page(connection, ORG, CAMPAIGN))
    assert ProgrammeTemplate.model_validate(page.programme) == load("cxzy-2010")
    with pytest.raises(Refusal, match=r"campaign\.unknown"):
        await college.see(lambda connection: campaign_page(connection, ORG, PLEDGE))


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
async def test_a_view_folded_anew_is_the_same(college: College, projection: Projection) -> None:
    await make(college, PLEDGE, "branch")
    await make(college, OTHER_PLEDGE, "public")
    await hold(college)
    await college.tell(
        pledge, PLEDGE, ReportProgress(item=0, percent=90, fulfilled=True, note="值班两月"), pledge_facts
    )
    await college.tell(pledge, PLEDGE, VerifyItem(item=0), pledge_facts)
    await college.tell(pledge, PLEDGE, WithdrawPledge(reason="值班室停用"), pledge_facts)
    await college.tell(work_plan, PLAN, a_plan(), work_plan_facts)
    college.clock.set(college.clock.now().replace(month=8, day=6))
    july = AssessObligations(campaign_id=CAMPAIGN, obligation="monthly_committee", starts_on=date(2010, 7, 1))
    await college.tell(obligation_round, ROUND, july, obligation_facts)
    live = await college.see(lambda connection: checksum(connection, ORG, projection))

    def fold_anew(connection: Connection) -> str:
        for view in projection.tables:
            connection.execute(delete(view.stored(projection.version, 1)))
        connection.execute(delete(checkpoint).where(checkpoint.c.projection == projection.name))
        empty = checksum(connection, ORG, projection)
        while project(connection, ORG, projection, college.log.types):
            pass
        assert empty != checksum(connection, ORG, projection)
        return checksum(connection, ORG, projection)

    assert await college.log.database.write(fold_anew) == live
