"""What a work plan's decisions may know (R-24): it is its unit's secretary's to write and to put on record as adopted,
and the office's to return. The office may do all of it."""

from sqlalchemy import Connection

from avow.eventlog.execute import Asked, Grounds
from avow.kernel.refusal import Refusal
from avow.register.reading import RegisterReader
from avow_pledge.domain.work_plan import DraftPlan, Plan, PlanCommand, PlanFacts, ReturnPlan, RevisePlan
from avow_pledge.facts.standing import running_campaign


def work_plan_facts(connection: Connection, asked: Asked[PlanCommand, Plan]) -> Grounds[PlanFacts]:
    """The campaign, and where whoever answers for an item is a member."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    about = asked.command if isinstance(asked.command, DraftPlan) else asked.state.draft
    reader.require_actor(asked.actor)
    if about is None:
        raise Refusal("plan.unknown", "plan_id")
    if isinstance(asked.command, ReturnPlan):
        reader.require_office(asked.actor, asked.now)
    else:
        reader.require_secretary(asked.actor, asked.now, about.unit_id)
    reader.unit_then(about.unit_id, asked.occurred_at)
    written = asked.command if isinstance(asked.command, RevisePlan) else about
    people = {item.accountable_person_id for item in written.items}
    facts = PlanFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        plan_id=asked.identity,
        campaign=running_campaign(reader, about.campaign_id, asked.occurred_at),
        member_of={person_id: reader.units_of(person_id, asked.occurred_at).keys() for person_id in sorted(people)},
    )
    return Grounds(facts, reader.expect, guarded=True)
