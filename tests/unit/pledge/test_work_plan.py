"""The rules of work plans, who may write and adopt them, and what the view shows (R-24…R-27)."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from avow.contracts.work_plan import PlanItem, PlanWording, WorkPlanAdopted
from avow.eventlog.keys import destroy_keys
from avow.eventlog.seals import ERASED
from avow_pledge.domain.obligation import AssessObligations, obligation_round, round_id
from avow_pledge.domain.work_plan import (
    AdoptPlan,
    DraftPlan,
    Entry,
    PlanFacts,
    ReturnPlan,
    RevisePlan,
    WorkPlanDrafted,
    WorkPlanReturned,
    WorkPlanRevised,
    plan_id,
    work_plan,
)
from avow_pledge.facts import obligation_facts, work_plan_facts
from avow_pledge.reading.obligations import OBLIGATIONS, ObligationsWanted
from avow_pledge.reading.work_plans import WORK_PLANS, PlanEntry, PlansWanted
from tests.kit.given import given
from tests.kit.logs import ORG
from tests.unit.pledge.builders import CAMPAIGN, LEADER, MEMBER, MOMENT, OTHER_UNIT, SECRETARY, UNIT, a_running_campaign
from tests.unit.pledge.college import NOBODY, OFFICE_HAND, College

PLAN = plan_id(CAMPAIGN, UNIT, "phase1")
WORDS = PlanWording(goal="新生两周内办完手续", task="编写办事指南", measure="各科室核对一遍后上网")
ITEM = PlanItem(milestones=(date(2010, 9, 30),), accountable_person_id=MEMBER)
AUDIENCE = "药学系本科新生"
WHY = "责任人调离"


def an_entry(**changes: object) -> Entry:
    return Entry(**WORDS.model_dump(), **ITEM.model_dump()).model_copy(update=changes)


def a_plan(*items: Entry, phase: str = "phase1", scope: str = "college") -> DraftPlan:
    return DraftPlan(
        campaign_id=CAMPAIGN,
        unit_id=UNIT,
        phase=phase,
        scope=scope,
        service_audience=AUDIENCE,
        items=items or (an_entry(),),
    )


def a_revision(*items: Entry) -> RevisePlan:
    return RevisePlan(scope="college", service_audience=AUDIENCE, items=items or (an_entry(),), reason=WHY)


FACTS = PlanFacts(
    occurred_at=MOMENT, actor=SECRETARY, plan_id=PLAN, campaign=a_running_campaign(), member_of={MEMBER: {UNIT}}
)
DRAFTED = WorkPlanDrafted(
    plan_id=PLAN,
    campaign_id=CAMPAIGN,
    unit_id=UNIT,
    phase="phase1",
    revision=1,
    service_audience=AUDIENCE,
    items=(ITEM,),
    scope="college",
    wording=(WORDS,),
)
ADOPTED = WorkPlanAdopted(**dict(DRAFTED))
RETURNED = WorkPlanReturned(plan_id=PLAN, unit_id=UNIT, reason=WHY)
REVISED = WorkPlanRevised(plan_id=PLAN, unit_id=UNIT, reason=WHY)
SECOND = DRAFTED.model_copy(update={"revision": 2})


def test_a_plan_is_drafted_adopted_and_then_only_revised() -> None:
    """R-24, R-27"""
    given(work_plan).knowing(FACTS).when(a_plan()).then(DRAFTED)
    given(work_plan, DRAFTED).knowing(FACTS).when(a_plan()).then(DRAFTED)
    given(work_plan, DRAFTED).knowing(FACTS).when(AdoptPlan()).then(ADOPTED)
    adopted = given(work_plan, DRAFTED, ADOPTED).knowing(FACTS)
    adopted.when(a_plan()).refused("plan.adopted_already", "phase")
    adopted.when(AdoptPlan()).refused("plan.not_drafted")
    adopted.when(a_revision()).then(REVISED, SECOND)
    given(work_plan, DRAFTED, ADOPTED, REVISED, SECOND).knowing(FACTS).when(AdoptPlan()).then(
        WorkPlanAdopted(**dict(SECOND))
    )


def test_a_returned_plan_is_drafted_anew() -> None:
    """R-24"""
    given(work_plan, DRAFTED).knowing(FACTS).when(ReturnPlan(reason=WHY)).then(RETURNED)
    returned = given(work_plan, DRAFTED, RETURNED).knowing(FACTS)
    returned.when(AdoptPlan()).refused("plan.not_drafted")
    returned.when(a_revision()).refused("plan.not_adopted")
    returned.when(a_plan()).then(DRAFTED)
    given(work_plan, DRAFTED, ADOPTED, REVISED, SECOND, RETURNED).knowing(FACTS).when(a_plan()).then(SECOND)


@pytest.mark.parametrize("missing", ["goal", "task", "measure", "milestones", "accountable_person_id"])
def test_an_item_with_anything_missing_is_no_item(missing: str) -> None:
    """R-25"""
    with pytest.raises(ValidationError):
        Entry.model_validate(an_entry().model_dump(exclude={missing}))


@pytest.mark.parametrize(
    ("facts", "item", "code", "at"),
    [
        (FACTS, {"milestones": (date(2010, 5, 31),)}, "plan.milestone_outside_campaign", "items[1].milestones[0]"),
        (FACTS, {"accountable_person_id": LEADER}, "plan.accountable_not_member", "items[1].accountable_person_id"),
        (
            replace(FACTS, campaign=a_running_campaign(date(2010, 5, 31))),
            {},
            "plan.outside_campaign",
            "occurred_at",
        ),
    ],
)
def test_a_plan_is_sound_when_it_is_written(facts: PlanFacts, item: dict[str, object], code: str, at: str) -> None:
    """R-25, R-26"""
    given(work_plan).knowing(facts).when(a_plan(an_entry(), an_entry(**item))).refused(code, at)
    given(work_plan, DRAFTED, ADOPTED).knowing(facts).when(a_revision(an_entry(), an_entry(**item))).refused(code, at)


def test_whoever_answers_for_an_item_is_a_member_still_when_the_plan_is_adopted() -> None:
    """R-26"""
    left = replace(FACTS, member_of={MEMBER: {OTHER_UNIT}})
    given(work_plan, DRAFTED).knowing(left).when(AdoptPlan()).refused(
        "plan.accountable_not_member", "items[0].accountable_person_id"
    )


def test_a_phase_or_a_scope_the_programme_does_not_define_is_refused_where_it_stands() -> None:
    given(work_plan).knowing(FACTS).when(a_plan(phase="phase9")).refused("programme.unknown_key", "phase")
    given(work_plan).knowing(FACTS).when(a_plan(scope="moon")).refused("programme.unknown_key", "scope")
    for command in (AdoptPlan(), ReturnPlan(reason=WHY), a_revision()):
        given(work_plan).knowing(FACTS).when(command).refused("plan.unknown", "plan_id")


async def the_plans(college: College) -> list[PlanEntry]:
    return await college.entries(WORK_PLANS, PlansWanted(CAMPAIGN, UNIT, "phase1"))


async def test_a_plan_is_its_secretarys_and_the_office_returns_it(college: College) -> None:
    """R-24"""
    for actor, code in ((MEMBER, "actor.lacks_role"), (NOBODY, "actor.unknown")):
        assert await college.refuses(work_plan, PLAN, a_plan(), work_plan_facts, actor) == code
    assert await college.refuses(work_plan, PLAN, AdoptPlan(), work_plan_facts) == "plan.unknown"
    await college.tell(work_plan, PLAN, a_plan(), work_plan_facts, SECRETARY)
    back = ReturnPlan(reason=WHY)
    assert await college.refuses(work_plan, PLAN, back, work_plan_facts, SECRETARY) == "actor.lacks_role"
    await college.tell(work_plan, PLAN, back, work_plan_facts, OFFICE_HAND)
    (entry,) = await the_plans(college)
    assert (entry.status, entry.reason, entry.adopted_revision) == ("returned", WHY, None)
    strangers = a_plan(an_entry(accountable_person_id=LEADER))
    refused = await college.refuses(work_plan, PLAN, strangers, work_plan_facts, SECRETARY)
    assert refused == "plan.accountable_not_member"


async def test_the_view_shows_the_plan_as_it_was_last_written_and_which_revision_holds(college: College) -> None:
    """R-24"""
    for command in (a_plan(), AdoptPlan()):
        await college.tell(work_plan, PLAN, command, work_plan_facts, SECRETARY)
    adopted_at = college.clock.now()
    (before,) = await the_plans(college)
    assert (before.status, before.adopted_at, before.wording, before.items) == ("adopted", adopted_at, [WORDS], [ITEM])
    await college.tell(work_plan, PLAN, a_revision(an_entry(goal="一周内办完")), work_plan_facts, SECRETARY)
    (entry,) = await the_plans(college)
    assert (entry.status, entry.revision, entry.adopted_revision, entry.reason) == ("drafted", 2, 1, WHY)
    assert (entry.position, entry.adopted_at) == (before.position, adopted_at)
    subject = f"scope/college/{UNIT}"
    assert await college.log.database.write(lambda connection: destroy_keys(connection, ORG, [subject]))
    (entry,) = await the_plans(college)
    assert (entry.wording, entry.service_audience) == (ERASED, AUDIENCE)


async def test_an_adopted_plan_meets_the_duty_of_its_phase(college: College) -> None:
    """R-24, R-33"""
    college.clock.set(college.clock.now().replace(year=2011, month=7, day=20))
    second = plan_id(CAMPAIGN, UNIT, "phase2")
    plan = a_plan(an_entry(milestones=(date(2011, 9, 30),)), phase="phase2")
    for command in (plan, AdoptPlan()):
        await college.tell(work_plan, second, command, work_plan_facts, SECRETARY)
    college.clock.set(college.clock.now().replace(month=9))
    duty = AssessObligations(campaign_id=CAMPAIGN, obligation="work_plan", starts_on=date(2011, 7, 1))
    await college.tell(
        obligation_round, round_id(CAMPAIGN, "work_plan", duty.starts_on), duty, obligation_facts, OFFICE_HAND
    )
    entries = await college.entries(OBLIGATIONS, ObligationsWanted())
    assert {entry.owner.id: entry.outcome for entry in entries} == {UNIT: "met", OTHER_UNIT: "missed"}
