"""The work plan of a unit for a phase (R-24, R-25, R-27)."""

from datetime import date
from typing import Annotated

from avow.contracts.values import Identity, Key
from avow.kernel.message import Line, Prose, PublicEvent, Value
from avow.kernel.seal import Seal, SealedUnder


class PlanItem(Value):
    """By when, and who answers for it: one entry for each item's wording, in the same order."""

    milestones: tuple[date, ...]
    accountable_person_id: Identity


class PlanWording(Value):
    """The words of an item."""

    goal: Prose
    task: Prose
    measure: Prose


PlanWordings = Annotated[tuple[PlanWording, ...] | Seal, SealedUnder("scope/{scope}/{unit_id}")]
"""The items' words, sealed for the scope they are meant for; in the clear where the scope is everybody."""


class WorkPlanAdopted(PublicEvent, type="work_plan.adopted"):
    """A unit's committee adopted its plan for a phase, or a revision of it, which count from 1.

    `service_audience` says whom the unit serves, from whom its electorate is proposed (R-27).
    """

    plan_id: Identity
    campaign_id: Identity
    unit_id: Identity
    phase: Key
    revision: int
    service_audience: Line
    items: tuple[PlanItem, ...]
    scope: Key
    wording: PlanWordings
