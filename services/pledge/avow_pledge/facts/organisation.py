"""What decisions about units, persons, memberships and roles may know; they are the office's (R-06, R-56)."""

from dataclasses import replace

from sqlalchemy import Connection

from avow.eventlog import reading
from avow.eventlog.execute import Asked, Grounds
from avow.eventlog.types import EventTypes
from avow.register.reading import RegisterReader
from avow_pledge.domain.erasure import Erasure, ErasureCommand, ErasureFacts, erasure
from avow_pledge.domain.membership import (
    EnrolMember,
    LeaveUnit,
    Membership,
    MembershipCommand,
    MembershipFacts,
    TransferMember,
)
from avow_pledge.domain.person import ConfirmErasure, Person, PersonCommand, PersonFacts
from avow_pledge.domain.role import AppointRole, EndRole, Role, RoleCommand, RoleFacts
from avow_pledge.domain.unit import Left, MergeUnit, Unit, UnitCommand, UnitFacts

_ERASURE = EventTypes(erasure.events)


def unit_facts(connection: Connection, asked: Asked[UnitCommand, Unit]) -> Grounds[UnitFacts]:
    """To register a unit, the campaign's vocabulary and the parent, which stands; to merge one, what is left in it."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    if isinstance(asked.command, MergeUnit):
        return _merger(reader, asked, asked.command)
    parent_id = asked.command.parent_id
    parent = None if parent_id is None else reader.unit_then(parent_id, asked.occurred_at, "parent_id")
    facts = UnitFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        unit_id=asked.identity,
        programme=reader.campaign(asked.command.campaign_id).programme,
        parent_kind=None if parent is None else parent.kind,
    )
    return Grounds(facts, reader.expect, guarded=True)


def _merger(reader: RegisterReader, asked: Asked[UnitCommand, Unit], command: MergeUnit) -> Grounds[UnitFacts]:
    unit_id, moment = asked.identity, asked.occurred_at
    reader.unit_then(unit_id, moment)
    into = reader.unit_then(command.into_unit_id, moment, "into_unit_id")
    members, roles = reader.still_in(unit_id, moment)
    facts = UnitFacts(
        occurred_at=moment,
        actor=asked.actor,
        unit_id=unit_id,
        left=Left(members, tuple(roles), reader.units_below(unit_id, moment), into.kind),
    )
    # Who is not in the unit is not among what it expects.
    return Grounds(facts, reader.expect)


def person_facts(connection: Connection, asked: Asked[PersonCommand, Person]) -> Grounds[PersonFacts]:
    """For an erasure the request, and the units and roles the person still has, now; else nothing beyond the right."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    facts = PersonFacts(occurred_at=asked.occurred_at, actor=asked.actor, person_id=asked.identity)
    if isinstance(asked.command, ConfirmErasure):
        stream = erasure.stream_of(asked.identity)
        steps = reading.stream(connection, asked.org, stream)
        reader.expect[stream] = len(steps)
        facts = replace(
            facts,
            request=erasure.fold(_ERASURE.decode_as(erasure.events, steps)).request,
            units=tuple(sorted(reader.units_of(asked.identity, asked.now))),
            roles=tuple(reader.roles_of(asked.identity, asked.now)),
        )
    # The roles that a person does not hold are not among what it expects.
    return Grounds(facts, reader.expect, guarded=not isinstance(asked.command, ConfirmErasure))


def erasure_facts(connection: Connection, asked: Asked[ErasureCommand, Erasure]) -> Grounds[ErasureFacts]:
    """That the person is known and not erased."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    reader.person(asked.identity)
    facts = ErasureFacts(occurred_at=asked.occurred_at, actor=asked.actor, person_id=asked.identity)
    return Grounds(facts, reader.expect, guarded=True)


def membership_facts(connection: Connection, asked: Asked[MembershipCommand, Membership]) -> Grounds[MembershipFacts]:
    """That the person and the units are known, and of a leaver whether they are the secretary of the unit they leave.

    A unit is joined while it stands, and left even when it does no longer.
    """
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    person_id, moment = asked.identity, asked.occurred_at
    reader.person(person_id, even_erased=isinstance(asked.command, LeaveUnit))
    left_id: str | None = None
    match asked.command:
        case EnrolMember() as command:
            reader.unit_then(command.unit_id, moment)
        case LeaveUnit() as command:
            left_id = reader.unit(command.unit_id).unit_id
        case TransferMember() as command:
            left_id = reader.unit(command.from_unit_id, "from_unit_id").unit_id
            reader.unit_then(command.to_unit_id, moment, "to_unit_id")
    facts = MembershipFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        person_id=person_id,
        is_secretary=left_id is not None and reader.is_secretary_from(person_id, moment, left_id),
    )
    return Grounds(facts, reader.expect, guarded=True)


def role_facts(connection: Connection, asked: Asked[RoleCommand, Role]) -> Grounds[RoleFacts]:
    """The unit's kind, and of the person to be appointed whether they are a member of it, then and still."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    command = asked.command
    unit_id, role = asked.identity.split("/")
    unit = reader.unit_then(unit_id, asked.occurred_at)
    reader.person(command.person_id, even_erased=isinstance(command, EndRole))
    programme, is_member = None, False
    if isinstance(command, AppointRole):
        programme = reader.campaign(command.campaign_id).programme
        moments = (asked.occurred_at, asked.now)
        is_member = all(unit_id in reader.units_of(command.person_id, moment) for moment in moments)
    facts = RoleFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        unit_id=unit_id,
        role=role,
        unit_kind=unit.kind,
        programme=programme,
        is_member=is_member,
    )
    return Grounds(facts, reader.expect, guarded=True)
