"""A unit: a part of the organisation, below its parent (R-06).

Promises: its kind, its category and the kind of its parent are ones the campaign's programme knows; it goes into
another unit, once, when nobody and nothing is left in it.
Limit: a unit is not moved. Who joins while it is being merged is not noticed; such a member can still leave it.
"""

from dataclasses import dataclass, replace

from avow.contracts.organisation import UnitMerged, UnitRegistered
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line
from avow.kernel.refusal import Refusal, require
from avow.programme import ProgrammeTemplate
from avow.programme.choice import choose


class RegisterUnit(Command):
    """Enter a unit; the campaign's programme says which kinds and categories there are."""

    campaign_id: Identity
    name: Line
    kind: Key
    category: Key | None = None
    parent_id: Identity | None = None


class MergeUnit(Command):
    """Let the unit go into another one of its kind, which takes its place."""

    into_unit_id: Identity


UnitCommand = RegisterUnit | MergeUnit
UnitEvent = UnitRegistered | UnitMerged


@dataclass(frozen=True)
class Unit:
    """What the next decision needs."""

    registered: UnitRegistered | None = None
    merged: bool = False


@dataclass(frozen=True)
class Left:
    """What is still in a unit that is to be merged: how many members, which roles and how many units below it; and the
    kind of the unit it goes into."""

    members: int
    roles: tuple[str, ...]
    units_below: int
    into_kind: str


@dataclass(frozen=True, kw_only=True)
class UnitFacts(Facts):
    """To register a unit: the vocabulary, and the kind of the unit named as parent. To merge one: what is left."""

    unit_id: str
    programme: ProgrammeTemplate | None = None
    parent_kind: str | None = None
    left: Left | None = None


def decide(command: UnitCommand, unit: Unit, facts: UnitFacts) -> list[UnitEvent]:
    match command:
        case RegisterUnit():
            return [_registered(command, unit, facts)]
        case MergeUnit():
            return [_merged(command, unit, facts)]


def evolve(unit: Unit, event: UnitEvent) -> Unit:
    match event:
        case UnitRegistered():
            return Unit(registered=event)
        case UnitMerged():
            return replace(unit, merged=True)


unit: Decider[UnitCommand, Unit, UnitFacts, UnitEvent] = Decider(
    stream="unit",
    initial=Unit(),
    decide=decide,
    evolve=evolve,
    events=(UnitRegistered, UnitMerged),
)


def _registered(command: RegisterUnit, unit: Unit, facts: UnitFacts) -> UnitRegistered:
    assert facts.programme is not None
    require(unit.registered is None, "unit.registered_already", "unit_id")
    kind = choose(facts.programme.unit_kind, command.kind, "kind")
    if command.category is not None:
        choose(facts.programme.category, command.category, "category")
    if facts.parent_kind is None:
        require(not kind.parents, "unit.parent_missing", "parent_id", kinds=", ".join(kind.parents))
    else:
        require(kind.parents, "unit.parent_not_allowed", "parent_id")
        require(facts.parent_kind in kind.parents, "unit.parent_kind", "parent_id", kinds=", ".join(kind.parents))
    return UnitRegistered(
        unit_id=facts.unit_id,
        name=command.name,
        kind=command.kind,
        category=command.category,
        parent_id=command.parent_id,
    )


def _merged(command: MergeUnit, unit: Unit, facts: UnitFacts) -> UnitMerged:
    """Nobody belongs to it, holds a role in it or stands below it any more, and the other is of the same kind."""
    if unit.registered is None or facts.left is None:
        raise Refusal("unit.unknown", "unit_id")
    left = facts.left
    require(not unit.merged, "unit.no_longer", "unit_id")
    require(command.into_unit_id != facts.unit_id, "unit.into_itself", "into_unit_id")
    require(left.into_kind == unit.registered.kind, "unit.another_kind", "into_unit_id", kind=unit.registered.kind)
    require(not left.members, "unit.has_members", "unit_id", count=left.members)
    require(not left.roles, "unit.has_roles", "unit_id", roles=", ".join(left.roles))
    require(not left.units_below, "unit.has_units_below", "unit_id", count=left.units_below)
    return UnitMerged(unit_id=facts.unit_id, into_unit_id=command.into_unit_id, since=facts.occurred_at)
