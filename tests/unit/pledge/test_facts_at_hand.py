"""What is at hand of the register may be old, and decides nothing that is not so any more; on each engine."""

from functools import partial

from sqlalchemy import Connection

from avow.eventlog.at_hand import AtHand, Recall
from avow.register.reading import RegisterReader
from avow_pledge.domain.role import EndRole, role
from avow_pledge.facts import role_facts
from tests.kit.logs import ORG
from tests.unit.pledge.builders import OTHER_UNIT
from tests.unit.pledge.college import COMMITTEE, OFFICE_HAND, OUTSIDER, College, appoint

OFFICE = (COMMITTEE, "office_staff")
SEAT = (OTHER_UNIT, "secretary")
Held = tuple[list[tuple[str, str]], dict[str, int]]


def roles(connection: Connection, recall: Recall, person_id: str, *first: tuple[str, str], college: College) -> Held:
    """The roles a person is taken to hold once these roles were looked at, and what that rests on."""
    reader = RegisterReader(connection, ORG, recall)
    for unit_id, held in first:
        reader.rests_on_role(unit_id, held)
    return reader.roles_of(person_id, college.clock.now()), reader.expect


async def test_a_role_that_ended_is_not_held_on_the_strength_of_what_is_at_hand(college: College) -> None:
    known, see = AtHand(), partial(roles, college=college)
    before, rests = await college.see(lambda connection: see(connection, known.recall, OFFICE_HAND))
    await college.tell(role, "/".join(OFFICE), EndRole(person_id=OFFICE_HAND), role_facts)
    stale, of_before = await college.see(lambda connection: see(connection, known.recall, OFFICE_HAND))
    assert (before, stale, of_before) == ([OFFICE], [OFFICE], rests)

    def look_at_the_role(connection: Connection) -> None:
        RegisterReader(connection, ORG, known.refresh).rests_on_role(*OFFICE)

    await college.see(look_at_the_role)
    held, of_now = await college.see(lambda connection: see(connection, known.recall, OFFICE_HAND))
    assert (held, of_now) == ([], {f"role/{COMMITTEE}/office_staff": 2})
    assert rests == {f"role/{COMMITTEE}/office_staff": 1}


async def test_a_role_that_is_looked_at_is_held_though_the_person_was_read_before_it_was(college: College) -> None:
    known, see = AtHand(), partial(roles, college=college)
    assert (await college.see(lambda connection: see(connection, known.recall, OUTSIDER)))[0] == []
    await college.tell(role, "/".join(SEAT), appoint(OUTSIDER), role_facts)
    held, of_now = await college.see(lambda connection: see(connection, known.recall, OUTSIDER, SEAT))
    assert (held, of_now) == ([SEAT], {f"role/{OTHER_UNIT}/secretary": 1})
