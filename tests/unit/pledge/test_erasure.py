"""Erasing a person takes two of the office, and leaves nobody who still belongs somewhere (R-06)."""

from dataclasses import replace
from functools import partial

import pytest

from avow.contracts.organisation import PersonErased, PersonRegistered
from avow.eventlog.execute import Asked
from avow.eventlog.keys import destroy_keys
from avow.eventlog.seals import ERASED
from avow.register.people import PEOPLE, PeopleWanted
from avow_pledge.domain.erasure import (
    ErasureFacts,
    ErasureRequested,
    ErasureWithdrawn,
    RequestErasure,
    WithdrawErasure,
    erasure,
)
from avow_pledge.domain.meeting import meeting
from avow_pledge.domain.membership import EnrolMember, LeaveUnit, membership
from avow_pledge.domain.person import (
    ConfirmErasure,
    Person,
    PersonCommand,
    PersonFacts,
    RegisterPerson,
    person,
)
from avow_pledge.domain.pledge import pledge
from avow_pledge.domain.role import EndRole, role
from avow_pledge.facts import erasure_facts, meeting_facts, membership_facts, person_facts, pledge_facts, role_facts
from tests.kit.given import given
from tests.kit.logs import ORG, identity
from tests.unit.pledge.builders import LEADER, MEETING, MEMBER, MOMENT, OTHER_UNIT, PLEDGE, SECRETARY, UNIT
from tests.unit.pledge.college import (
    COMMITTEE,
    NAMES,
    NOBODY,
    OFFICE_HAND,
    OUTSIDER,
    College,
    a_comment,
    a_draft,
    a_meeting,
    appoint,
)

KNOWN = PersonRegistered(person_id=MEMBER, name="钟若岚")
ASKED = ErasureRequested(person_id=MEMBER, basis="consent_withdrawn", requested_by=OFFICE_HAND)
GONE = PersonErased(person_id=MEMBER, requested_by=OFFICE_HAND, confirmed_by=SECRETARY)
BY_ONE = ErasureFacts(occurred_at=MOMENT, person_id=MEMBER, actor=OFFICE_HAND)
BY_ANOTHER = PersonFacts(occurred_at=MOMENT, person_id=MEMBER, actor=SECRETARY, request=ASKED)
ASK = RequestErasure(basis="consent_withdrawn")
DIRECTOR = f"{COMMITTEE}/office_director"


def test_one_asks_and_another_confirms() -> None:
    given(erasure).knowing(BY_ONE).when(ASK).then(ASKED)
    given(person, KNOWN).knowing(BY_ANOTHER).when(ConfirmErasure()).then(GONE)


@pytest.mark.parametrize("actor", [OFFICE_HAND, None])
def test_whoever_asked_does_not_confirm_not_even_whoever_runs_the_deployment(actor: str | None) -> None:
    asked = ASKED.model_copy(update={"requested_by": actor})
    alone = given(person, KNOWN).knowing(replace(BY_ANOTHER, actor=actor, request=asked)).when(ConfirmErasure())
    alone.refused("erasure.second_person", "Acting-As")


def test_the_operator_may_be_one_of_the_two() -> None:
    confirmed = PersonErased(person_id=MEMBER, requested_by=OFFICE_HAND, confirmed_by=None)
    given(person, KNOWN).knowing(replace(BY_ANOTHER, actor=None)).when(ConfirmErasure()).then(confirmed)


def test_a_request_stands_once_and_can_be_withdrawn() -> None:
    given(erasure, ASKED).knowing(BY_ONE).when(ASK).refused("erasure.requested_already", "person_id")
    withdrawn = ErasureWithdrawn(person_id=MEMBER)
    given(erasure, ASKED).knowing(BY_ONE).when(WithdrawErasure()).then(withdrawn)
    given(erasure, ASKED, withdrawn).knowing(BY_ONE).when(ASK).then(ASKED)
    for history in ((), (ASKED, withdrawn)):
        again = given(erasure, *history).knowing(BY_ONE).when(WithdrawErasure())
        again.refused("erasure.not_requested", "person_id")
    unasked = given(person, KNOWN).knowing(replace(BY_ANOTHER, request=None)).when(ConfirmErasure())
    unasked.refused("erasure.not_requested", "person_id")


def test_whoever_belongs_somewhere_is_not_erased() -> None:
    member = replace(BY_ANOTHER, units=(UNIT,))
    given(person, KNOWN).knowing(member).when(ConfirmErasure()).refused("erasure.still_member", "person_id")
    leader = replace(BY_ANOTHER, roles=((COMMITTEE, "lg_member"),))
    refused = given(person, KNOWN).knowing(leader).when(ConfirmErasure())
    assert refused.refused("erasure.still_in_office", "person_id").params["roles"] == f"{COMMITTEE}/lg_member"


def test_nobody_is_erased_who_is_unknown_or_erased_already() -> None:
    given(person).knowing(BY_ANOTHER).when(ConfirmErasure()).refused("person.unknown", "person_id")
    given(person, KNOWN, GONE).knowing(BY_ANOTHER).when(ConfirmErasure()).refused("person.erased", "person_id")
    again = given(person, KNOWN, GONE).knowing(BY_ANOTHER).when(RegisterPerson(name="钟若岚"))
    again.refused("person.registered_already", "person_id")


async def erase(college: College, person_id: str) -> None:
    await college.tell(erasure, person_id, ASK, erasure_facts, OFFICE_HAND)
    await college.tell(person, person_id, ConfirmErasure(), person_facts)


async def test_erasing_is_the_offices(college: College) -> None:
    for actor, code in ((SECRETARY, "actor.lacks_role"), (MEMBER, "actor.lacks_role"), (NOBODY, "actor.unknown")):
        for command in (ASK, WithdrawErasure()):
            assert await college.refuses(erasure, OUTSIDER, command, erasure_facts, actor) == code
        assert await college.refuses(person, OUTSIDER, ConfirmErasure(), person_facts, actor) == code
    await college.tell(role, DIRECTOR, appoint(LEADER), role_facts)
    await college.tell(membership, OUTSIDER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    await college.tell(erasure, OUTSIDER, ASK, erasure_facts, OFFICE_HAND)
    same = await college.refuses(person, OUTSIDER, ConfirmErasure(), person_facts, OFFICE_HAND)
    assert same == "erasure.second_person"
    await college.tell(person, OUTSIDER, ConfirmErasure(), person_facts, LEADER)
    asked, confirmed = (await college.log.rows())[-2:]
    assert (asked.actor, asked.sequence, confirmed.actor) == (OFFICE_HAND, None, LEADER)
    assert college.log.types.decode((await college.log.records())[-1]) == PersonErased(
        person_id=OUTSIDER, requested_by=OFFICE_HAND, confirmed_by=LEADER
    )


async def test_nothing_is_asked_about_a_person_who_is_unknown_or_erased(college: College) -> None:
    await college.tell(membership, OUTSIDER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    await erase(college, OUTSIDER)
    for person_id, code in ((NOBODY, "person.unknown"), (OUTSIDER, "person.erased")):
        for command in (ASK, WithdrawErasure()):
            assert await college.refuses(erasure, person_id, command, erasure_facts) == code
        assert await college.refuses(person, person_id, ConfirmErasure(), person_facts) == code


async def test_a_confirmation_rests_on_the_request_and_on_where_the_person_belongs(college: College) -> None:
    await college.tell(erasure, OUTSIDER, ASK, erasure_facts)
    now = college.clock.now()
    asked: Asked[PersonCommand, Person] = Asked(ORG, OUTSIDER, ConfirmErasure(), Person(), OFFICE_HAND, now, now)
    grounds = await college.see(partial(person_facts, asked=asked))
    assert grounds.expect[f"erasure/{OUTSIDER}"] == 1
    assert grounds.expect[f"membership/{OUTSIDER}"] == 1


async def test_a_person_leaves_every_unit_and_office_first(college: College) -> None:
    await college.tell(erasure, LEADER, ASK, erasure_facts, OFFICE_HAND)
    assert await college.refuses(person, LEADER, ConfirmErasure(), person_facts) == "erasure.still_member"
    await college.tell(membership, LEADER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    assert await college.refuses(person, LEADER, ConfirmErasure(), person_facts) == "erasure.still_in_office"
    await college.tell(role, f"{COMMITTEE}/lg_member", EndRole(person_id=LEADER), role_facts)
    await college.tell(person, LEADER, ConfirmErasure(), person_facts)


async def test_an_erased_name_reads_so_and_no_other(college: College) -> None:
    await college.tell(membership, OUTSIDER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    await erase(college, OUTSIDER)
    people = await college.entries(PEOPLE, PeopleWanted())
    assert {entry.person_id: entry.name for entry in people} == NAMES | {OUTSIDER: ERASED}
    assert {entry.person_id for entry in people if entry.erased_at is not None} == {OUTSIDER}


async def test_what_names_an_erased_person_anew_is_refused(college: College) -> None:
    await college.tell(membership, OUTSIDER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    await erase(college, OUTSIDER)
    enrol = EnrolMember(unit_id=UNIT, standing="full")
    assert await college.refuses(membership, OUTSIDER, enrol, membership_facts) == "person.erased"
    assert await college.refuses(role, DIRECTOR, appoint(OUTSIDER), role_facts) == "person.erased"
    chaired = a_meeting().model_copy(update={"chair_id": OUTSIDER})
    assert await college.refuses(meeting, MEETING, chaired, meeting_facts) == "person.erased"
    await college.tell(meeting, MEETING, a_meeting(), meeting_facts)
    assert await college.refuses(meeting, MEETING, a_comment(OUTSIDER), meeting_facts) == "person.erased"
    own = a_draft().model_copy(update={"pledger": a_draft().pledger.model_copy(update={"id": OUTSIDER})})
    assert await college.refuses(pledge, PLEDGE, own, pledge_facts) == "pledge.pledger_not_member"
    assert await college.refuses(pledge, identity(9), own, pledge_facts, OUTSIDER) == "person.erased"


async def test_what_only_ends_something_is_still_entered(college: College) -> None:
    """A role given while the erasure was under way can be ended."""
    await college.tell(membership, OUTSIDER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    await erase(college, OUTSIDER)
    ended = await college.refuses(role, DIRECTOR, EndRole(person_id=OUTSIDER), role_facts)
    assert ended == "role.not_held"
    left = await college.refuses(membership, OUTSIDER, LeaveUnit(unit_id=OTHER_UNIT), membership_facts)
    assert left == "membership.not_a_member"


async def test_a_name_is_never_sealed_for_a_subject_whose_key_was_destroyed(college: College) -> None:
    """The log's own answer, should a rule have missed it."""
    await college.log.database.write(lambda connection: destroy_keys(connection, ORG, [f"person/{NOBODY}"]))
    before = await college.log.head()
    entered = await college.refuses(person, NOBODY, RegisterPerson(name="卓怀瑾"), person_facts)
    assert entered == "log.key_destroyed"
    assert await college.log.head() == before
