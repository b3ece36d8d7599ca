"""A unit: a part of the organisation, below its parent (R-06).

Promises: its kind, its category and the kind of its parent are ones the campaign's programme knows.
Limit: a unit is neither moved nor dissolved.
"""

from dataclasses import dataclass

from avow.contracts.organisation import UnitRegistered
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line
from avow.kernel.refusal import require
from avow.programme import ProgrammeTemplate
from avow.programme.choice import choose


class RegisterUnit(Command):
    """Enter a unit; the campaign's programme says which kinds and categories there are."""

    campaign_id: Identity
    name: Line
    kind: Key
    category: Key | None = None
    parent_id: Identity | None = None


UnitCommand = RegisterUnit
UnitEvent = UnitRegistered


@dataclass(frozen=True)
class Unit:
    """What the next decision needs."""

    registered: bool = False


@dataclass(frozen=True, kw_only=True)
class UnitFacts(Facts):
    """The vocabulary, and the kind of the unit named as parent."""

    unit_id: str
    programme: ProgrammeTemplate
    parent_kind: str | None = None


def decide(command: UnitCommand, unit: Unit, facts: UnitFacts) -> list[UnitEvent]:
    require(not unit.registered, "unit.registered_already", "unit_id")
    kind = choose(facts.programme.unit_kind, command.kind, "kind")
    if command.category is not None:
        choose(facts.programme.category, command.category, "category")
    if facts.parent_kind is None:
        require(not kind.parents, "unit.parent_missing", "parent_id", kinds=", ".join(kind.parents))
    else:
        require(kind.parents, "unit.parent_not_allowed", "parent_id")
        require(facts.parent_kind in kind.parents, "unit.parent_kind", "parent_id", kinds=", ".join(kind.parents))
    return [
        UnitRegistered(
            unit_id=facts.unit_id,
            name=command.name,
            kind=command.kind,
            category=command.category,
            parent_id=command.parent_id,
        )
    ]


def evolve(unit: Unit, event: UnitEvent) -> Unit:
    return Unit(registered=True)


unit: Decider[UnitCommand, Unit, UnitFacts, UnitEvent] = Decider(
    stream="unit",
    initial=Unit(),
    decide=decide,
    evolve=evolve,
    events=(UnitRegistered,),
)
