"""A role in a unit: who holds it, and since when (R-56).

Promises: a role is held only in the kinds of unit its programme names; a role for one person has one holder at a time;
a secretary is a member of the unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from avow.contracts.organisation import RoleAppointed, RoleEnded
from avow.contracts.values import Identity
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command
from avow.kernel.refusal import require
from avow.programme import ProgrammeTemplate
from avow.programme.choice import choose

SECRETARY = "secretary"
FOR_ONE = frozenset({SECRETARY, "lg_head", "office_director"})
"""The roles one person holds at a time; several may hold any other."""


class AppointRole(Command):
    """Give the role to a person; the campaign's programme says where it is held."""

    campaign_id: Identity
    person_id: Identity


class EndRole(Command):
    """Take the role from a person."""

    person_id: Identity


RoleCommand = AppointRole | EndRole
RoleEvent = RoleAppointed | RoleEnded


@dataclass(frozen=True)
class Role:
    """What the next decision needs: the holders, each with the moment since when."""

    holders: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RoleFacts(Facts):
    """Which role in which unit; for an appointment also the vocabulary, the unit's kind and whether the person is a
    member of the unit."""

    unit_id: str
    role: str
    programme: ProgrammeTemplate | None = None
    unit_kind: str = ""
    is_member: bool = False


def decide(command: RoleCommand, role: Role, facts: RoleFacts) -> list[RoleEvent]:
    match command:
        case AppointRole():
            _require_fit(facts)
            require(command.person_id not in role.holders, "role.held_already", "person_id")
            require(not (role.holders and facts.role in FOR_ONE), "role.taken", "person_id")
            return [
                RoleAppointed(
                    role=facts.role, unit_id=facts.unit_id, person_id=command.person_id, since=facts.occurred_at
                )
            ]
        case EndRole():
            require(command.person_id in role.holders, "role.not_held", "person_id")
            since = role.holders[command.person_id]
            require(since < facts.occurred_at, "role.no_time_between", "occurred_at")
            return [
                RoleEnded(
                    role=facts.role,
                    unit_id=facts.unit_id,
                    person_id=command.person_id,
                    since=since,
                    until=facts.occurred_at,
                )
            ]


def evolve(role: Role, event: RoleEvent) -> Role:
    match event:
        case RoleAppointed():
            return Role({**role.holders, event.person_id: event.since})
        case RoleEnded():
            return Role({person: since for person, since in role.holders.items() if person != event.person_id})


role: Decider[RoleCommand, Role, RoleFacts, RoleEvent] = Decider(
    stream="role",
    initial=Role(),
    decide=decide,
    evolve=evolve,
    events=(RoleAppointed, RoleEnded),
)


def _require_fit(facts: RoleFacts) -> None:
    """The role is one of the programme's, held in this kind of unit, and a secretary is a member."""
    assert facts.programme is not None
    known = choose(facts.programme.role, facts.role, "role")
    require(facts.unit_kind in known.sits_in, "role.not_in_this_kind", "role", kinds=", ".join(known.sits_in))
    require(facts.is_member or facts.role != SECRETARY, "role.secretary_not_member", "person_id")
