"""What comes of a pledge: one a phase, progress, verification, withdrawal; and who may say so (R-28, R-31)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal

import pytest

from avow.contracts.pledge import PledgeItemVerified, PledgeMade, Pledger, PledgeWithdrawn
from avow.eventlog.execute import Origin
from avow.kernel.refusal import Refusal
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.membership import LeaveUnit, TransferMember, membership
from avow_pledge.domain.pledge import (
    ApprovePledge,
    MakePledge,
    Place,
    PledgeApproved,
    PledgeDrafted,
    PledgeFacts,
    PledgePlaceTaken,
    PledgeProgressReported,
    PledgeSubmitted,
    ReportProgress,
    SubmitPledge,
    VerifyItem,
    WithdrawPledge,
    pledge,
)
from avow_pledge.domain.role import EndRole, role
from avow_pledge.domain.unit import MergeUnit, unit
from avow_pledge.facts import membership_facts, pledge_facts, role_facts, unit_facts
from avow_pledge.reading.pledges import progress_entries, wall_entries
from tests.kit.given import given
from tests.kit.logs import ORG, identity
from tests.unit.pledge.builders import (
    CAMPAIGN,
    LEADER,
    MEMBER,
    MOMENT,
    OTHER_UNIT,
    PLEDGE,
    SECRETARY,
    UNIT,
    a_running_campaign,
)
from tests.unit.pledge.college import OFFICE_HAND, OUTSIDER, College, a_draft, a_draft_of, appoint

PLACE, SECOND = identity(400), identity(401)


def facts(actor: str | None = SECRETARY, place: Place | None = None, is_secretary: bool = True) -> PledgeFacts:
    campaign: RunningCampaign = a_running_campaign()
    return PledgeFacts(
        occurred_at=MOMENT,
        actor=actor,
        pledge_id=PLEDGE,
        campaign=campaign,
        is_secretary=is_secretary,
        member_of={MEMBER: {UNIT}},
        place=place,
    )


def the_draft() -> PledgeDrafted:
    (event,) = given(pledge).knowing(facts()).when(a_draft()).decided()
    assert isinstance(event, PledgeDrafted)
    return event


DRAFT = the_draft()
APPROVED = (DRAFT, PledgeSubmitted(pledge_id=PLEDGE), PledgeApproved(pledge_id=PLEDGE))
MADE = PledgeMade(**DRAFT.model_dump(exclude={"missing"}), channel="website")
HISTORY = (*APPROVED, MADE)
NOTE = "已答疑二十四次"


def a_report(item: int = 0, fulfilled: bool = True) -> ReportProgress:
    return ReportProgress(item=item, value=Decimal(24), fulfilled=fulfilled, note=NOTE)


def reported(item: int = 0, fulfilled: bool = True) -> PledgeProgressReported:
    return PledgeProgressReported(
        pledge_id=PLEDGE,
        unit_id=UNIT,
        item=item,
        quantity=0,
        value=Decimal(24),
        percent=None,
        fulfilled=fulfilled,
        evidence_sha256=None,
        scope="college",
        note=NOTE,
    )


def verified(item: int = 0) -> PledgeItemVerified:
    return PledgeItemVerified(
        pledge_id=PLEDGE, campaign_id=CAMPAIGN, unit_id=UNIT, pledger=DRAFT.pledger, phase="phase1", item=item
    )


def withdrawn(*items: int, excused: bool = False) -> PledgeWithdrawn:
    return PledgeWithdrawn(
        pledge_id=PLEDGE,
        campaign_id=CAMPAIGN,
        unit_id=UNIT,
        pledger=DRAFT.pledger,
        phase="phase1",
        items=items,
        excused=excused,
        scope="college",
        reason="答疑场所停用",
    )


def withdraw(*items: int, excused: bool = False) -> WithdrawPledge:
    return WithdrawPledge(items=items or None, excused=excused, reason="答疑场所停用")


def test_a_pledge_made_takes_the_one_place_its_pledger_has_in_the_phase() -> None:
    """R-28"""
    taken = PledgePlaceTaken(place_id=PLACE, pledge_id=PLEDGE)
    given(pledge, *APPROVED).knowing(facts(place=Place(PLACE))).when(MakePledge(channel="website")).then(MADE, taken)
    assert pledge.stream_for(taken, "pledge/own") == f"pledge_place/{PLACE}"
    assert pledge.stream_for(MADE, "pledge/own") == "pledge/own"


@pytest.mark.parametrize("step", ["draft", "submit", "make"])
def test_a_pledger_has_one_pledge_in_a_phase(step: str) -> None:
    """R-28"""
    history, command = {
        "draft": ((), a_draft()),
        "submit": ((DRAFT,), SubmitPledge()),
        "make": (APPROVED, MakePledge(channel="website")),
    }[step]
    full = facts(place=Place(PLACE, SECOND))
    given(pledge, *history).knowing(full).when(command).refused("pledge.one_a_phase", "pledger.id")  # type: ignore[arg-type]


def test_progress_is_told_by_one_indicator_or_by_a_percentage() -> None:
    """R-31"""
    at_home = given(pledge, *HISTORY).knowing(facts())
    at_home.when(a_report(1, fulfilled=False)).then(reported(1, fulfilled=False))
    by_half = reported().model_copy(update={"quantity": None, "value": None, "percent": 50, "fulfilled": False})
    at_home.when(ReportProgress(item=0, percent=50, note=NOTE)).then(by_half)
    both = ReportProgress(item=0, percent=50, value=Decimal(1), note=NOTE)
    for neither in (both, ReportProgress(item=0, note=NOTE)):
        at_home.when(neither).refused("pledge.progress_measure", "value")
    at_home.when(ReportProgress(item=0, quantity=1, value=Decimal(1), note=NOTE)).refused(
        "pledge.quantity_unknown", "quantity"
    )
    at_home.when(a_report(2)).refused("pledge.item_unknown", "item")
    given(pledge, *APPROVED).knowing(facts()).when(a_report()).refused("pledge.not_made")
    given(pledge).knowing(facts()).when(a_report()).refused("pledge.unknown", "pledge_id")


def test_only_what_was_declared_is_verified_and_only_once() -> None:
    """R-31"""
    given(pledge, *HISTORY, reported(fulfilled=False)).knowing(facts()).when(VerifyItem(item=0)).refused(
        "pledge.item_not_declared", "item"
    )
    given(pledge, *HISTORY, reported()).knowing(facts()).when(VerifyItem(item=0)).then(verified())
    done = given(pledge, *HISTORY, reported(), verified()).knowing(facts())
    for command in (VerifyItem(item=0), a_report()):
        done.when(command).refused("pledge.item_settled", "item")


def test_nobody_verifies_their_own() -> None:
    """R-31, R-58"""
    given(pledge, *HISTORY, reported()).knowing(facts(actor=MEMBER)).when(VerifyItem(item=0)).refused(
        "pledge.own_approval", "Acting-As"
    )
    of_the_unit = (DRAFT.model_copy(update={"pledger": Pledger(kind="unit", id=UNIT)}), *HISTORY[1:])
    given(pledge, *of_the_unit, reported()).knowing(facts()).when(VerifyItem(item=0)).refused(
        "pledge.own_approval", "Acting-As"
    )


def test_what_is_not_verified_can_be_withdrawn_item_by_item_or_whole() -> None:
    """R-31"""
    at_home = given(pledge, *HISTORY).knowing(facts())
    at_home.when(withdraw(1)).then(withdrawn(1))
    at_home.when(withdraw()).then(withdrawn(0, 1))
    at_home.when(withdraw(1, 1)).refused("pledge.item_repeated", "items[1]")
    at_home.when(withdraw(5)).refused("pledge.item_unknown", "items[0]")
    half = given(pledge, *HISTORY, reported(), verified()).knowing(facts())
    half.when(withdraw(0)).refused("pledge.item_settled", "items[0]")
    half.when(withdraw()).then(withdrawn(1))
    given(pledge, *HISTORY, withdrawn(0, 1)).knowing(facts()).when(withdraw()).refused("pledge.item_settled", "items")
    given(pledge, *HISTORY, withdrawn(1)).knowing(facts()).when(a_report(1)).refused("pledge.item_settled", "item")


def test_nobody_excuses_themselves() -> None:
    """R-31, C5"""
    member = given(pledge, *HISTORY).knowing(facts(actor=MEMBER))
    member.when(withdraw(1, excused=True)).refused("pledge.own_excuse", "excused")
    member.when(withdraw(1)).then(withdrawn(1))
    given(pledge, *HISTORY).knowing(facts()).when(withdraw(1, excused=True)).then(withdrawn(1, excused=True))


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
        (entry,) = await college.see(lambda connection: wall_entries(connection, ORG, moment))
        return [(item.due_on, item.state, item.overdue) for item in entry.standing]

    first, second = date(2010, 12, 31), date(2011, 5, 31)
    assert await standing(first) == [(first, "declared", False), (second, "open", False)]
    assert await standing(date(2011, 1, 1)) == [(first, "declared", True), (second, "open", False)]
    await college.tell(pledge, PLEDGE, VerifyItem(item=0), pledge_facts, SECRETARY)
    await college.tell(pledge, PLEDGE, withdraw(1), pledge_facts, MEMBER)
    assert await standing(date(2012, 1, 1)) == [(first, "verified", False), (second, "withdrawn", False)]
    (entry,) = await college.see(lambda connection: wall_entries(connection, ORG, college.clock.now()))
    assert (entry.verified, entry.withdrawn, entry.standing[1].excused) == (1, 1, False)
    assert entry.standing[0].settled_at == college.clock.now() - timedelta(hours=1)
    (report,) = await college.see(lambda connection: progress_entries(connection, ORG, PLEDGE))
    assert (report.item, report.value, report.note, report.fulfilled) == (0, Decimal(24), NOTE, True)
    assert await college.see(lambda connection: progress_entries(connection, ORG, SECOND)) == []


async def test_an_item_without_a_milestone_is_due_with_its_phase(college: College) -> None:
    """R-31: as a programme may have it that asks for no milestone."""
    made = MADE.model_copy(update={"items": (MADE.items[0].model_copy(update={"milestones": ()}),)})
    await college.record(made, f"pledge/{PLEDGE}")
    (entry,) = await college.see(lambda connection: wall_entries(connection, ORG, college.clock.now()))
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
