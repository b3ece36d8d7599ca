"""The rules of units, persons, memberships and roles."""

from dataclasses import replace

import pytest

from avow.contracts.organisation import (
    MemberEnrolled,
    MemberLeft,
    PersonRegistered,
    RoleAppointed,
    RoleEnded,
    UnitRegistered,
)
from avow.kernel.seal import sealed_fields
from avow.programme import load
from avow_pledge.domain.membership import EnrolMember, LeaveUnit, MembershipFacts, membership
from avow_pledge.domain.person import PersonFacts, RegisterPerson, person
from avow_pledge.domain.role import AppointRole, EndRole, RoleFacts, role
from avow_pledge.domain.unit import RegisterUnit, UnitFacts, unit
from tests.kit.given import given
from tests.unit.pledge.builders import CAMPAIGN, LATER, MEMBER, MOMENT, OTHER_UNIT, SECRETARY, UNIT

BELOW_A_COMMITTEE = UnitFacts(occurred_at=MOMENT, unit_id=UNIT, programme=load("cxzy-2010"), parent_kind="committee")
AT_THE_TOP = replace(BELOW_A_COMMITTEE, parent_kind=None)


def a_unit(kind: str = "branch", category: str | None = "teaching", parent_id: str | None = OTHER_UNIT) -> RegisterUnit:
    return RegisterUnit(campaign_id=CAMPAIGN, name="药学系教工支部", kind=kind, category=category, parent_id=parent_id)


def test_a_unit_is_registered_below_a_parent_of_a_kind_its_programme_allows() -> None:
    """R-06"""
    registered = UnitRegistered(
        unit_id=UNIT, name="药学系教工支部", kind="branch", category="teaching", parent_id=OTHER_UNIT
    )
    given(unit).knowing(BELOW_A_COMMITTEE).when(a_unit()).then(registered)
    below_a_branch = replace(BELOW_A_COMMITTEE, parent_kind="branch")
    given(unit).knowing(below_a_branch).when(a_unit()).refused("unit.parent_kind", "parent_id")
    given(unit).knowing(BELOW_A_COMMITTEE).when(a_unit("committee", None)).refused(
        "unit.parent_not_allowed", "parent_id"
    )


def test_only_a_top_kind_stands_below_nothing() -> None:
    given(unit).knowing(AT_THE_TOP).when(a_unit(parent_id=None)).refused("unit.parent_missing", "parent_id")
    (top,) = given(unit).knowing(AT_THE_TOP).when(a_unit("committee", None, None)).decided()
    assert isinstance(top, UnitRegistered)
    assert (top.kind, top.category, top.parent_id) == ("committee", None, None)


def test_a_kind_or_a_category_the_programme_does_not_define_is_refused_where_it_stands() -> None:
    given(unit).knowing(BELOW_A_COMMITTEE).when(a_unit("platoon")).refused("programme.unknown_key", "kind")
    given(unit).knowing(BELOW_A_COMMITTEE).when(a_unit(category="space")).refused("programme.unknown_key", "category")


def test_a_unit_is_registered_once() -> None:
    (registered,) = given(unit).knowing(BELOW_A_COMMITTEE).when(a_unit()).decided()
    given(unit, registered).knowing(BELOW_A_COMMITTEE).when(a_unit()).refused("unit.registered_already", "unit_id")


def test_a_person_is_registered_once_and_the_name_is_sealed_and_prints_nowhere() -> None:
    command, facts = RegisterPerson(name="钟若岚"), PersonFacts(occurred_at=MOMENT, person_id=MEMBER)
    registered = PersonRegistered(person_id=MEMBER, name="钟若岚")
    given(person).knowing(facts).when(command).then(registered)
    given(person, registered).knowing(facts).when(command).refused("person.registered_already", "person_id")
    assert sealed_fields(PersonRegistered).keys() == {"name"}
    assert "钟若岚" not in f"{command!r} {command}"


MEMBERSHIP = MembershipFacts(occurred_at=LATER, person_id=MEMBER)
ENROLLED = MemberEnrolled(person_id=MEMBER, unit_id=UNIT, standing="full", since=MOMENT)
LEFT = MemberLeft(person_id=MEMBER, unit_id=UNIT, since=MOMENT, until=LATER)


def test_a_membership_holds_from_when_it_began_until_it_ended() -> None:
    """R-06"""
    given(membership).knowing(replace(MEMBERSHIP, occurred_at=MOMENT)).when(
        EnrolMember(unit_id=UNIT, standing="full")
    ).then(ENROLLED)
    given(membership, ENROLLED).knowing(MEMBERSHIP).when(LeaveUnit(unit_id=UNIT)).then(LEFT)


def test_a_person_belongs_to_one_unit_at_a_time() -> None:
    """R-06"""
    once_more, elsewhere = (EnrolMember(unit_id=to, standing="probationary") for to in (UNIT, OTHER_UNIT))
    given(membership, ENROLLED).knowing(MEMBERSHIP).when(once_more).refused("membership.member_already", "unit_id")
    given(membership, ENROLLED).knowing(MEMBERSHIP).when(elsewhere).refused("membership.in_another_unit", "unit_id")
    given(membership, ENROLLED, LEFT).knowing(MEMBERSHIP).when(elsewhere).then(
        MemberEnrolled(person_id=MEMBER, unit_id=OTHER_UNIT, standing="probationary", since=LATER)
    )


@pytest.mark.parametrize("history", [(), (ENROLLED, LEFT)])
def test_nobody_leaves_a_unit_they_are_not_in(history: tuple[MemberEnrolled | MemberLeft, ...]) -> None:
    leave = LeaveUnit(unit_id=UNIT)
    given(membership, *history).knowing(MEMBERSHIP).when(leave).refused("membership.not_a_member", "unit_id")


def test_nobody_leaves_a_unit_at_the_moment_they_join_it() -> None:
    at_once = replace(MEMBERSHIP, occurred_at=MOMENT)
    given(membership, ENROLLED).knowing(at_once).when(LeaveUnit(unit_id=UNIT)).refused(
        "membership.no_time_between", "occurred_at"
    )


def test_a_secretary_does_not_leave_the_unit() -> None:
    secretary = replace(MEMBERSHIP, is_secretary=True)
    given(membership, ENROLLED).knowing(secretary).when(LeaveUnit(unit_id=UNIT)).refused(
        "membership.secretary_stays", "unit_id"
    )


SECRETARYSHIP = RoleFacts(
    occurred_at=LATER,
    unit_id=UNIT,
    role="secretary",
    programme=load("cxzy-2010"),
    unit_kind="branch",
    is_member=True,
)
APPOINTED = RoleAppointed(role="secretary", unit_id=UNIT, person_id=SECRETARY, since=MOMENT)
ENDED = RoleEnded(role="secretary", unit_id=UNIT, person_id=SECRETARY, since=MOMENT, until=LATER)


def appoint(person_id: str) -> AppointRole:
    return AppointRole(campaign_id=CAMPAIGN, person_id=person_id)


def test_a_role_for_one_is_held_by_one_at_a_time() -> None:
    """R-56"""
    given(role).knowing(replace(SECRETARYSHIP, occurred_at=MOMENT)).when(appoint(SECRETARY)).then(APPOINTED)
    given(role, APPOINTED).knowing(SECRETARYSHIP).when(appoint(MEMBER)).refused("role.taken", "person_id")
    given(role, APPOINTED).knowing(SECRETARYSHIP).when(appoint(SECRETARY)).refused("role.held_already", "person_id")
    given(role, APPOINTED).knowing(SECRETARYSHIP).when(EndRole(person_id=SECRETARY)).then(ENDED)
    given(role, APPOINTED, ENDED).knowing(SECRETARYSHIP).when(appoint(MEMBER)).then(
        RoleAppointed(role="secretary", unit_id=UNIT, person_id=MEMBER, since=LATER)
    )


def test_several_may_be_members_of_the_leading_group() -> None:
    """R-56"""
    leading = replace(SECRETARYSHIP, role="lg_member", unit_kind="committee", is_member=False)
    first = RoleAppointed(role="lg_member", unit_id=UNIT, person_id=SECRETARY, since=MOMENT)
    second = RoleAppointed(role="lg_member", unit_id=UNIT, person_id=MEMBER, since=LATER)
    given(role, first).knowing(leading).when(appoint(MEMBER)).then(second)
    given(role, first, second).knowing(leading).when(EndRole(person_id=MEMBER)).refused(
        "role.no_time_between", "occurred_at"
    )


def test_a_role_is_held_only_in_the_kinds_of_unit_its_programme_names() -> None:
    in_a_branch = replace(SECRETARYSHIP, role="lg_head")
    given(role).knowing(in_a_branch).when(appoint(MEMBER)).refused("role.not_in_this_kind", "role")
    unheard_of = replace(SECRETARYSHIP, role="jester")
    given(role).knowing(unheard_of).when(appoint(MEMBER)).refused("programme.unknown_key", "role")


def test_a_secretary_is_a_member_of_the_unit() -> None:
    from_outside = replace(SECRETARYSHIP, is_member=False)
    given(role).knowing(from_outside).when(appoint(MEMBER)).refused("role.secretary_not_member", "person_id")


def test_nobody_is_relieved_of_a_role_they_do_not_hold() -> None:
    given(role, APPOINTED).knowing(SECRETARYSHIP).when(EndRole(person_id=MEMBER)).refused("role.not_held", "person_id")
