"""A person: known by an identity, with a name that is sealed under a key of the person's own (R-06).

Promises: nothing but the sealed field of the one event holds the name; it prints nowhere.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from avow.contracts.organisation import PersonRegistered
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line
from avow.kernel.refusal import require


class RegisterPerson(Command):
    """Enter a person."""

    name: Annotated[Line, Field(repr=False)]


PersonCommand = RegisterPerson
PersonEvent = PersonRegistered


@dataclass(frozen=True)
class Person:
    """What the next decision needs."""

    registered: bool = False


@dataclass(frozen=True, kw_only=True)
class PersonFacts(Facts):
    """Whose identity is given out."""

    person_id: str


def decide(command: PersonCommand, person: Person, facts: PersonFacts) -> list[PersonEvent]:
    require(not person.registered, "person.registered_already", "person_id")
    return [PersonRegistered(person_id=facts.person_id, name=command.name)]


def evolve(person: Person, event: PersonEvent) -> Person:
    return Person(registered=True)


person: Decider[PersonCommand, Person, PersonFacts, PersonEvent] = Decider(
    stream="person",
    initial=Person(),
    decide=decide,
    evolve=evolve,
    events=(PersonRegistered,),
)
