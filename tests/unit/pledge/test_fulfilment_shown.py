"""What comes of a pledge, on a real log: who may say so, and what the wall shows; on each engine (R-28, R-31)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal

from avow.eventlog.execute import Origin
from avow.kernel.refusal import Refusal
from avow_pledge.domain.membership import LeaveUnit, TransferMember, membership
from avow_pledge.domain.pledge import ApprovePledge, MakePledge, SubmitPledge, VerifyItem, pledge
from avow_pledge.domain.role import EndRole, role
from avow_pledge.domain.unit import MergeUnit, unit
from avow_pledge.facts import membership_facts, pledge_facts, role_facts, unit_facts
from avow_pledge.reading.pledges import PLEDGES, PROGRESS, PledgesWanted, ProgressWanted
from tests.kit.logs import ORG, identity
from tests.unit.pledge.builders import LEADER, MEMBER, OTHER_UNIT, PLEDGE, SECRETARY, UNIT
from tests.unit.pledge.college import OFFICE_HAND, OUTSIDER, College, a_draft, a_draft_of, appoint
from tests.unit.pledge.test_fulfilment import MADE, NOTE, SECOND, a_report, withdraw


async def make(college: College, pledge_id: str = PLEDGE, member: str = MEMBER, unit_id: str = UNIT) -> None:
    await approve(college, pledge_id, member, unit_id)
    await college.tell(pledge, pledge_id, MakePledge(channel="website"), pledge_facts)


async def approve(college: College, pledge_id: str, member: str = MEMBER, unit_id: str = UNIT) -> None:
    for command in (a_draft_of(member, unit_id), SubmitPledge(), ApprovePledge()):
        await college.tell(pledge, pledge_id, command, pledge_facts)


async def test_a_second_pledge_in_the_phase_waits_until_the_first_is_withdrawn_whole(college: College) -> None:
    """R-28"""
    await approve(college, SECOND)
    await make(college)
    assert await college.refuses(pledge, SECOND, MakePledge(channel="website"), pledge_facts) == "pledge.one_a_phase"
    assert await college.refuses(pledge, identity(402), a_draft(), pledge_facts) == "pledge.one_a_phase"
    await college.tell(pledge, PLEDGE, withdraw(0), pledge_facts)
    assert await college.refuses(pledge, SECOND, MakePledge(channel="website"), pledge_facts) == "pledge.one_a_phase"
    await college.tell(pledge, PLEDGE, withdraw(1), pledge_facts)
    await college.tell(pledge, SECOND, MakePledge(channel="website"), pledge_facts)
    later = a_draft().model_copy(update={"occurred_at": None})
    assert await college.refuses(pledge, identity(402), later, pledge_facts) == "pledge.one_a_phase"
    college.clock.set(college.clock.now().replace(year=2011, month=8))
    await college.tell(pledge, identity(402), later, pledge_facts)


async def test_of_two_pledges_made_at_the_same_moment_one_is(college: College) -> None:
    """R-28"""
    for pledge_id in (PLEDGE, SECOND):
        await approve(college, pledge_id)
    command, executor = MakePledge(channel="website"), college.log.executor
    outcomes = await asyncio.gather(
        *(executor.execute(pledge, each, command, pledge_facts, Origin(ORG, MEMBER)) for each in (PLEDGE, SECOND)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert [refusal.code for refusal in refused] == ["pledge.one_a_phase"]
    assert sum(record.type == "pledge.made" for record in await college.log.records()) == 1


async def test_progress_is_the_pledgers_and_verification_the_secretarys(college: College) -> None:
    """R-31"""
    await make(college)
    for actor in (LEADER, OUTSIDER):
        for command in (a_report(), VerifyItem(item=0), withdraw(0), withdraw(0, excused=True)):
            assert await college.refuses(pledge, PLEDGE, command, pledge_facts, actor) == "actor.lacks_role"
    await college.tell(pledge, PLEDGE, a_report(), pledge_facts, MEMBER)
    for command in (VerifyItem(item=0), withdraw(1, excused=True)):
        assert await college.refuses(pledge, PLEDGE, command, pledge_facts, MEMBER) == "actor.lacks_role"
    await college.tell(pledge, PLEDGE, VerifyItem(item=0), pledge_facts, SECRETARY)
    await college.tell(pledge, PLEDGE, withdraw(1, excused=True), pledge_facts, SECRETARY)


async def test_the_wall_shows_how_items_stand_and_which_are_overdue(college: College) -> None:
    """R-31"""
    await make(college)
    await college.tell(pledge, PLEDGE, a_report(), pledge_facts, MEMBER)

    async def standing(now: date) -> list[tuple[date | None, str, bool]]:
        moment = college.clock.now().replace(year=now.year, month=now.month, day=now.day, hour=1)
        (entry,) = await college.entries(PLEDGES, PledgesWanted(), now=moment)
        return [(item.due_on, item.state, item.overdue) for item in entry.standing]

    first, second = date(2010, 12, 31), date(2011, 5, 31)
    assert await standing(first) == [(first, "declared", False), (second, "open", False)]
    assert await standing(date(2011, 1, 1)) == [(first, "declared", True), (second, "open", False)]
    await college.tell(pledge, PLEDGE, VerifyItem(item=0), pledge_facts, SECRETARY)
    await college.tell(pledge, PLEDGE, withdraw(1), pledge_facts, MEMBER)
    assert await standing(date(2012, 1, 1)) == [(first, "verified", False), (second, "withdrawn", False)]
    (entry,) = await college.entries(PLEDGES, PledgesWanted())
    assert (entry.verified, entry.withdrawn, entry.standing[1].excused) == (1, 1, False)
    assert entry.standing[0].settled_at == college.clock.now() - timedelta(hours=1)
    (report,) = await college.entries(PROGRESS, ProgressWanted(PLEDGE))
    assert (report.item, report.value, report.note, report.fulfilled) == (0, Decimal(24), NOTE, True)
    assert await college.entries(PROGRESS, ProgressWanted(SECOND)) == []


async def test_an_item_without_a_milestone_is_due_with_its_phase(college: College) -> None:
    """R-31: as a programme may have it that asks for no milestone."""
    made = MADE.model_copy(update={"items": (MADE.items[0].model_copy(update={"milestones": ()}),)})
    await college.record(made, f"pledge/{PLEDGE}")
    (entry,) = await college.entries(PLEDGES, PledgesWanted())
    assert entry.standing[0].due_on == date(2011, 6, 30)


async def test_what_was_pledged_in_a_unit_is_verified_where_the_unit_went(college: College) -> None:
    """R-31, C10"""
    await make(college, PLEDGE, OUTSIDER, OTHER_UNIT)
    await college.tell(pledge, PLEDGE, a_report(), pledge_facts, OUTSIDER)
    move = TransferMember(from_unit_id=OTHER_UNIT, to_unit_id=UNIT)
    await college.tell(membership, OUTSIDER, move, membership_facts)
    await college.tell(membership, LEADER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    assert await college.refuses(pledge, PLEDGE, VerifyItem(item=0), pledge_facts, SECRETARY) == "actor.lacks_role"
    await college.tell(unit, OTHER_UNIT, MergeUnit(into_unit_id=UNIT), unit_facts)
    await college.tell(pledge, PLEDGE, VerifyItem(item=0), pledge_facts, SECRETARY)
    await college.tell(role, f"{UNIT}/secretary", EndRole(person_id=SECRETARY), role_facts)
    await college.tell(role, f"{UNIT}/secretary", appoint(OUTSIDER), role_facts)
    await college.tell(pledge, PLEDGE, a_report(1), pledge_facts, OUTSIDER)
    own = await college.refuses(pledge, PLEDGE, VerifyItem(item=1), pledge_facts, OUTSIDER)
    assert own == "pledge.own_approval"
    await college.tell(pledge, PLEDGE, VerifyItem(item=1), pledge_facts, OFFICE_HAND)
