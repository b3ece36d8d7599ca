"""A work plan: what a unit will do in a phase, by when, and who answers for it (R-24…R-27).

Drafted → adopted; a draft may be returned and drafted anew, what was adopted is revised, which makes a draft of it
again. Promises: a unit has one plan a phase; every item has its goal, task, measure, milestones within the campaign and
an accountable person who is a member of the unit at that moment, when it is drafted and when it is adopted.
Limit: which meeting of the unit's committee adopted it is not on record here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from avow.contracts.values import Identity, Key
from avow.contracts.work_plan import PlanItem, PlanWording, PlanWordings, WorkPlanAdopted
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line, PrivateEvent, Prose, Value
from avow.kernel.refusal import Refusal, require
from avow.kernel.seal import Seal, SealedUnder
from avow.programme.choice import choose
from avow_pledge.domain.campaign import RunningCampaign

_PLANS = uuid5(NAMESPACE_URL, "urn:avow:work-plan")


class Entry(Value):
    """One thing a unit will do (R-25)."""

    goal: Prose
    task: Prose
    measure: Prose
    milestones: Annotated[tuple[date, ...], Field(min_length=1, max_length=50)]
    accountable_person_id: Identity


Entries = Annotated[tuple[Entry, ...], Field(min_length=1, max_length=50)]


class DraftPlan(Command):
    """Write a unit's plan for a phase, or write it anew before it is adopted."""

    campaign_id: Identity
    unit_id: Identity
    phase: Key
    scope: Key
    service_audience: Line
    items: Entries


class AdoptPlan(Command):
    """Put on record that the unit's committee adopted the plan."""


class ReturnPlan(Command):
    """Give a drafted plan back, saying why."""

    reason: Prose


class RevisePlan(Command):
    """Write an adopted plan anew, saying why; until it is adopted the one before holds."""

    scope: Key
    service_audience: Line
    items: Entries
    reason: Prose


PlanCommand = DraftPlan | AdoptPlan | ReturnPlan | RevisePlan


class WorkPlanDrafted(PrivateEvent, type="work_plan.drafted"):
    plan_id: Identity
    campaign_id: Identity
    unit_id: Identity
    phase: Key
    revision: int
    service_audience: Line
    items: tuple[PlanItem, ...]
    scope: Key
    wording: PlanWordings


class WorkPlanReturned(PrivateEvent, type="work_plan.returned"):
    """The reason is sealed for the unit: it may speak of people."""

    plan_id: Identity
    unit_id: Identity
    reason: Annotated[Prose | Seal, SealedUnder("unit/{unit_id}")]


class WorkPlanRevised(PrivateEvent, type="work_plan.revised"):
    """Why an adopted plan is written anew; the draft follows."""

    plan_id: Identity
    unit_id: Identity
    reason: Annotated[Prose | Seal, SealedUnder("unit/{unit_id}")]


PlanEvent = WorkPlanDrafted | WorkPlanReturned | WorkPlanRevised | WorkPlanAdopted


class Status(Enum):
    """How far a plan has come."""

    NONE = "none"
    DRAFTED = "drafted"
    RETURNED = "returned"
    ADOPTED = "adopted"


@dataclass(frozen=True)
class Plan:
    """What the next decision needs."""

    status: Status = Status.NONE
    draft: WorkPlanDrafted | None = None


@dataclass(frozen=True, kw_only=True)
class PlanFacts(Facts):
    """The campaign, and the units that each accountable person is a member of at that moment."""

    plan_id: str
    campaign: RunningCampaign
    member_of: Mapping[str, Collection[str]] = field(default_factory=dict)


def plan_id(campaign_id: str, unit_id: str, phase: str) -> str:
    """The identity of a unit's plan for a phase."""
    return str(uuid5(_PLANS, f"{campaign_id}/{unit_id}/{phase}"))


def decide(command: PlanCommand, plan: Plan, facts: PlanFacts) -> list[PlanEvent]:
    match command:
        case DraftPlan():
            require(plan.status is not Status.ADOPTED, "plan.adopted_already", "phase")
            choose(facts.campaign.programme.phase, command.phase, "phase")
            revision = 1 if plan.draft is None else plan.draft.revision
            draft = _draft(command, command.campaign_id, command.unit_id, command.phase, revision, facts)
            return [draft]
        case AdoptPlan():
            draft = _in(plan, Status.DRAFTED)
            _require_sound(draft, facts)
            return [WorkPlanAdopted(**dict(draft))]
        case ReturnPlan():
            draft = _in(plan, Status.DRAFTED)
            return [WorkPlanReturned(plan_id=facts.plan_id, unit_id=draft.unit_id, reason=command.reason)]
        case RevisePlan():
            before = _in(plan, Status.ADOPTED)
            revised = WorkPlanRevised(plan_id=facts.plan_id, unit_id=before.unit_id, reason=command.reason)
            revision = before.revision + 1
            return [revised, _draft(command, before.campaign_id, before.unit_id, before.phase, revision, facts)]


def evolve(plan: Plan, event: PlanEvent) -> Plan:
    match event:
        case WorkPlanDrafted():
            return Plan(Status.DRAFTED, event)
        case WorkPlanReturned():
            return replace(plan, status=Status.RETURNED)
        case WorkPlanRevised():
            return plan
        case WorkPlanAdopted():
            return replace(plan, status=Status.ADOPTED)


work_plan: Decider[PlanCommand, Plan, PlanFacts, PlanEvent] = Decider(
    stream="work_plan",
    initial=Plan(),
    decide=decide,
    evolve=evolve,
    events=(WorkPlanDrafted, WorkPlanReturned, WorkPlanRevised, WorkPlanAdopted),
)


def _in(plan: Plan, status: Status) -> WorkPlanDrafted:
    """The text of a plan that stands at `status`."""
    if plan.draft is None:
        raise Refusal("plan.unknown", "plan_id")
    stands = plan.status is status
    if status is Status.ADOPTED:
        require(stands, "plan.not_adopted", status=plan.status.value)
    require(stands, "plan.not_drafted", status=plan.status.value)
    return plan.draft


def _draft(
    command: DraftPlan | RevisePlan, campaign_id: str, unit_id: str, phase: str, revision: int, facts: PlanFacts
) -> WorkPlanDrafted:
    choose(facts.campaign.programme.scope, command.scope, "scope")
    draft = WorkPlanDrafted(
        plan_id=facts.plan_id,
        campaign_id=campaign_id,
        unit_id=unit_id,
        phase=phase,
        revision=revision,
        service_audience=command.service_audience,
        items=tuple(
            PlanItem(milestones=entry.milestones, accountable_person_id=entry.accountable_person_id)
            for entry in command.items
        ),
        scope=command.scope,
        wording=tuple(PlanWording(goal=entry.goal, task=entry.task, measure=entry.measure) for entry in command.items),
    )
    _require_sound(draft, facts)
    return draft


def _require_sound(draft: WorkPlanDrafted, facts: PlanFacts) -> None:
    """It is a day of the campaign, every milestone is one, and whoever answers for an item is a member that day."""
    require(facts.campaign.includes(facts.campaign.today), "plan.outside_campaign", "occurred_at")
    for n, item in enumerate(draft.items):
        for m, milestone in enumerate(item.milestones):
            inside = facts.campaign.includes(milestone)
            require(inside, "plan.milestone_outside_campaign", f"items[{n}].milestones[{m}]")
        answers = draft.unit_id in facts.member_of.get(item.accountable_person_id, ())
        require(answers, "plan.accountable_not_member", f"items[{n}].accountable_person_id")
