"""Members who move, and units that go into one another (R-06, C10)."""

from dataclasses import replace
from typing import Any

import pytest

from avow.contracts.organisation import MemberEnrolled, MemberLeft, UnitMerged, UnitRegistered
from avow.register.reading import RegisterReader
from avow_pledge.domain.meeting import meeting
from avow_pledge.domain.membership import (
    EnrolMember,
    LeaveUnit,
    MembershipFacts,
    TransferMember,
    membership,
)
from avow_pledge.domain.pledge import pledge
from avow_pledge.domain.role import EndRole, role
from avow_pledge.domain.unit import Left, MergeUnit, UnitFacts, unit
from avow_pledge.facts import meeting_facts, membership_facts, pledge_facts, role_facts, unit_facts
from avow_pledge.reading.register import UNITS, UnitsWanted
from tests.kit.given import given
from tests.kit.logs import ORG, identity
from tests.unit.pledge.builders import (
    LATER,
    LEADER,
    MEETING,
    MEMBER,
    MOMENT,
    OTHER_UNIT,
    PLEDGE,
    SECRETARY,
    UNIT,
)
from tests.unit.pledge.college import (
    COMMITTEE,
    NOBODY,
    OFFICE_HAND,
    OUTSIDER,
    College,
    a_draft_of,
    a_meeting,
    a_unit,
    appoint,
)

ENROLLED = MemberEnrolled(person_id=MEMBER, unit_id=UNIT, standing="probationary", since=MOMENT)
LEFT = MemberLeft(person_id=MEMBER, unit_id=UNIT, since=MOMENT, until=LATER)
MOVE = TransferMember(from_unit_id=UNIT, to_unit_id=OTHER_UNIT)
MOVER = MembershipFacts(occurred_at=LATER, person_id=MEMBER)


def test_a_member_moves_at_one_moment_with_the_same_standing() -> None:
    """R-06"""
    joined = MemberEnrolled(person_id=MEMBER, unit_id=OTHER_UNIT, standing="probationary", since=LATER)
    given(membership, ENROLLED).knowing(MOVER).when(MOVE).then(LEFT, joined)


def test_nobody_moves_out_of_a_unit_they_are_not_in_or_into_the_one_they_are_in() -> None:
    elsewhere = TransferMember(from_unit_id=OTHER_UNIT, to_unit_id=UNIT)
    given(membership, ENROLLED).knowing(MOVER).when(elsewhere).refused("membership.not_a_member", "from_unit_id")
    given(membership).knowing(MOVER).when(MOVE).refused("membership.not_a_member", "from_unit_id")
    nowhere = TransferMember(from_unit_id=UNIT, to_unit_id=UNIT)
    given(membership, ENROLLED).knowing(MOVER).when(nowhere).refused("membership.member_already", "to_unit_id")
    at_once = replace(MOVER, occurred_at=MOMENT)
    given(membership, ENROLLED).knowing(at_once).when(MOVE).refused("membership.no_time_between", "occurred_at")


def test_a_secretary_does_not_move() -> None:
    secretary = replace(MOVER, is_secretary=True)
    given(membership, ENROLLED).knowing(secretary).when(MOVE).refused("membership.secretary_stays", "from_unit_id")


REGISTERED = UnitRegistered(unit_id=UNIT, name="机关第二支部", kind="branch", category=None, parent_id=COMMITTEE)
EMPTY = UnitFacts(occurred_at=LATER, unit_id=UNIT, left=Left(0, (), 0, "branch"))
MERGE = MergeUnit(into_unit_id=OTHER_UNIT)
MERGED = UnitMerged(unit_id=UNIT, into_unit_id=OTHER_UNIT, since=LATER)


def test_an_empty_unit_goes_into_another_once() -> None:
    """R-06, C10"""
    given(unit, REGISTERED).knowing(EMPTY).when(MERGE).then(MERGED)
    given(unit, REGISTERED, MERGED).knowing(EMPTY).when(MERGE).refused("unit.no_longer", "unit_id")
    given(unit).knowing(EMPTY).when(MERGE).refused("unit.unknown", "unit_id")


@pytest.mark.parametrize(
    ("left", "code", "at"),
    [
        (Left(2, (), 0, "branch"), "unit.has_members", "unit_id"),
        (Left(0, ("secretary",), 0, "branch"), "unit.has_roles", "unit_id"),
        (Left(0, (), 1, "branch"), "unit.has_units_below", "unit_id"),
        (Left(0, (), 0, "committee"), "unit.another_kind", "into_unit_id"),
    ],
)
def test_a_unit_that_is_not_empty_or_of_another_kind_is_not_merged(left: Left, code: str, at: str) -> None:
    given(unit, REGISTERED).knowing(replace(EMPTY, left=left)).when(MERGE).refused(code, at)


def test_a_unit_does_not_go_into_itself() -> None:
    itself = MergeUnit(into_unit_id=UNIT)
    given(unit, REGISTERED).knowing(EMPTY).when(itself).refused("unit.into_itself", "into_unit_id")


async def empty(college: College) -> None:
    """Move everybody out of the branch without a secretary."""
    for person_id in (LEADER, OUTSIDER):
        move = TransferMember(from_unit_id=OTHER_UNIT, to_unit_id=UNIT)
        await college.tell(membership, person_id, move, membership_facts, OFFICE_HAND)


async def test_a_unit_is_merged_by_the_office_once_everybody_has_moved(college: College) -> None:
    """R-06, C10"""
    merge = MergeUnit(into_unit_id=UNIT)
    assert await college.refuses(unit, OTHER_UNIT, merge, unit_facts) == "unit.has_members"
    await empty(college)
    assert await college.refuses(unit, OTHER_UNIT, merge, unit_facts, SECRETARY) == "actor.lacks_role"
    assert await college.refuses(unit, COMMITTEE, merge, unit_facts) == "unit.another_kind"
    up = MergeUnit(into_unit_id=NOBODY)
    assert await college.refuses(unit, OTHER_UNIT, up, unit_facts) == "unit.unknown"
    await college.tell(unit, OTHER_UNIT, merge, unit_facts, OFFICE_HAND)
    entries = await college.entries(UNITS, UnitsWanted())
    merged = {entry.unit_id: (entry.until, entry.merged_into) for entry in entries if entry.merged_into}
    assert merged == {OTHER_UNIT: (college.clock.now(), UNIT)}


async def test_a_unit_with_its_secretary_or_units_below_it_is_not_merged(college: College) -> None:
    for person_id in (MEMBER, SECRETARY):
        refused = person_id == SECRETARY
        move = TransferMember(from_unit_id=UNIT, to_unit_id=OTHER_UNIT)
        if refused:
            assert await college.refuses(membership, person_id, move, membership_facts) == "membership.secretary_stays"
            await college.tell(role, f"{UNIT}/secretary", EndRole(person_id=SECRETARY), role_facts)
        await college.tell(membership, person_id, move, membership_facts)
    second = identity(500)
    await college.tell(unit, second, a_unit("committee", None), unit_facts)
    await college.tell(role, f"{second}/auditor", appoint(OUTSIDER), role_facts)
    merge = MergeUnit(into_unit_id=COMMITTEE)
    assert await college.refuses(unit, second, merge, unit_facts) == "unit.has_roles"
    away = MergeUnit(into_unit_id=second)
    await college.tell(role, f"{COMMITTEE}/lg_member", EndRole(person_id=LEADER), role_facts)
    await college.tell(role, f"{COMMITTEE}/office_staff", EndRole(person_id=OFFICE_HAND), role_facts)
    assert await college.refuses(unit, COMMITTEE, away, unit_facts) == "unit.has_units_below"


async def test_nothing_is_entered_for_a_unit_that_stands_no_longer(college: College) -> None:
    """R-06"""
    await empty(college)
    before = college.clock.now()
    await college.tell(unit, OTHER_UNIT, MergeUnit(into_unit_id=UNIT), unit_facts)
    late_meeting = a_meeting().model_copy(update={"unit_id": OTHER_UNIT})
    every_entry: list[tuple[Any, Any, Any, str]] = [
        (unit, a_unit("affiliate", OTHER_UNIT), unit_facts, identity(501)),
        (pledge, a_draft_of(OUTSIDER, OTHER_UNIT), pledge_facts, PLEDGE),
        (meeting, late_meeting, meeting_facts, MEETING),
        (role, appoint(OUTSIDER), role_facts, f"{OTHER_UNIT}/secretary"),
        (membership, EnrolMember(unit_id=OTHER_UNIT, standing="full"), membership_facts, OFFICE_HAND),
        (membership, TransferMember(from_unit_id=UNIT, to_unit_id=OTHER_UNIT), membership_facts, MEMBER),
    ]
    for decider, command, facts, at in every_entry:
        assert await college.refuses(decider, at, command, facts) == "unit.no_longer"
    assert await college.refuses(membership, MEMBER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts) == (
        "membership.not_a_member"
    )
    back_then = a_unit("affiliate", OTHER_UNIT).model_copy(update={"occurred_at": before})
    await college.tell(unit, identity(501), back_then, unit_facts)


async def test_whoever_answers_for_a_unit_is_found_over_every_merger(college: College) -> None:
    third = identity(502)
    await college.tell(unit, third, a_unit("branch", COMMITTEE), unit_facts)
    await empty(college)
    before = college.clock.now()
    await college.tell(unit, OTHER_UNIT, MergeUnit(into_unit_id=third), unit_facts)
    await college.tell(unit, third, MergeUnit(into_unit_id=UNIT), unit_facts)

    def heirs(reader: RegisterReader) -> list[str]:
        return [reader.heir(OTHER_UNIT, moment).unit_id for moment in (before, college.clock.now())]

    assert await college.see(lambda connection: heirs(RegisterReader(connection, ORG))) == [OTHER_UNIT, UNIT]
