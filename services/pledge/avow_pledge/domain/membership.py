"""A person's memberships, one after the other, each with the time it holds for (R-06).

Promises: a person is a member of one unit at a time, so nobody is counted twice; whoever is a unit's secretary stays a
member of it.
"""

from dataclasses import dataclass
from datetime import datetime

from avow.contracts.organisation import MemberEnrolled, MemberLeft, Standing
from avow.contracts.values import Identity
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command
from avow.kernel.refusal import Refusal, require


class EnrolMember(Command):
    """Make the person a member of a unit."""

    unit_id: Identity
    standing: Standing


class LeaveUnit(Command):
    """End the person's membership of a unit."""

    unit_id: Identity


class TransferMember(Command):
    """End the person's membership of one unit and make them a member of another, with the same standing, at one
    moment."""

    from_unit_id: Identity
    to_unit_id: Identity


MembershipCommand = EnrolMember | LeaveUnit | TransferMember
MembershipEvent = MemberEnrolled | MemberLeft


@dataclass(frozen=True)
class Current:
    """The membership that holds."""

    unit_id: str
    since: datetime
    standing: Standing


@dataclass(frozen=True)
class Membership:
    """What the next decision needs."""

    current: Current | None = None


@dataclass(frozen=True, kw_only=True)
class MembershipFacts(Facts):
    """Whether the person is the secretary, then or later, of the unit they leave."""

    person_id: str
    is_secretary: bool = False


def decide(command: MembershipCommand, membership: Membership, facts: MembershipFacts) -> list[MembershipEvent]:
    current = membership.current
    match command:
        case EnrolMember():
            elsewhere = current is not None and current.unit_id != command.unit_id
            require(not elsewhere, "membership.in_another_unit", "unit_id")
            require(current is None, "membership.member_already", "unit_id")
            return [
                MemberEnrolled(
                    person_id=facts.person_id,
                    unit_id=command.unit_id,
                    standing=command.standing,
                    since=facts.occurred_at,
                )
            ]
        case LeaveUnit():
            _, left = _leave(current, command.unit_id, "unit_id", facts)
            return [left]
        case TransferMember():
            require(command.from_unit_id != command.to_unit_id, "membership.member_already", "to_unit_id")
            ended, left = _leave(current, command.from_unit_id, "from_unit_id", facts)
            joined = MemberEnrolled(
                person_id=facts.person_id,
                unit_id=command.to_unit_id,
                standing=ended.standing,
                since=facts.occurred_at,
            )
            return [left, joined]


def evolve(membership: Membership, event: MembershipEvent) -> Membership:
    match event:
        case MemberEnrolled():
            return Membership(Current(event.unit_id, event.since, event.standing))
        case MemberLeft():
            return Membership()


membership: Decider[MembershipCommand, Membership, MembershipFacts, MembershipEvent] = Decider(
    stream="membership",
    initial=Membership(),
    decide=decide,
    evolve=evolve,
    events=(MemberEnrolled, MemberLeft),
)


def _leave(current: Current | None, unit_id: str, at: str, facts: MembershipFacts) -> tuple[Current, MemberLeft]:
    """The membership that ends, and its end; whoever is the unit's secretary stays."""
    if current is None or current.unit_id != unit_id:
        raise Refusal("membership.not_a_member", at)
    require(current.since < facts.occurred_at, "membership.no_time_between", "occurred_at")
    require(not facts.is_secretary, "membership.secretary_stays", at)
    left = MemberLeft(person_id=facts.person_id, unit_id=unit_id, since=current.since, until=facts.occurred_at)
    return current, left
