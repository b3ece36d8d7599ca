"""A person: known by an identity, with a name that is sealed under a key of their own until it is erased (R-06).

Promises: nothing but the sealed field of the one event holds the name; it prints nowhere. To erase takes two: one asks,
another confirms, and with the confirmation the key is gone. Only who has left every unit and office is erased.
"""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from avow.contracts.organisation import PersonErased, PersonRegistered
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line
from avow.kernel.refusal import Refusal, require
from avow_pledge.domain.erasure import ErasureRequested


class RegisterPerson(Command):
    """Enter a person."""

    name: Annotated[Line, Field(repr=False)]


class ConfirmErasure(Command):
    """Erase the person's name for ever, as somebody else has asked."""


PersonCommand = RegisterPerson | ConfirmErasure
PersonEvent = PersonRegistered | PersonErased


@dataclass(frozen=True)
class Person:
    """What the next decision needs."""

    registered: bool = False
    erased: bool = False


@dataclass(frozen=True, kw_only=True)
class PersonFacts(Facts):
    """Whose identity is given out or asked about; for an erasure also the request for it, and the units and roles the
    person still has."""

    person_id: str
    request: ErasureRequested | None = None
    units: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()


def decide(command: PersonCommand, person: Person, facts: PersonFacts) -> list[PersonEvent]:
    match command:
        case RegisterPerson():
            require(not person.registered, "person.registered_already", "person_id")
            return [PersonRegistered(person_id=facts.person_id, name=command.name)]
        case ConfirmErasure():
            require(person.registered, "person.unknown", "person_id")
            require(not person.erased, "person.erased", "person_id")
            return [_erased(facts)]


def evolve(person: Person, event: PersonEvent) -> Person:
    match event:
        case PersonRegistered():
            return Person(registered=True)
        case PersonErased():
            return replace(person, erased=True)


person: Decider[PersonCommand, Person, PersonFacts, PersonEvent] = Decider(
    stream="person",
    initial=Person(),
    decide=decide,
    evolve=evolve,
    events=(PersonRegistered, PersonErased),
)


def _erased(facts: PersonFacts) -> PersonErased:
    """Whoever asked does not confirm, and the person is of no unit and in no office any more."""
    if facts.request is None:
        raise Refusal("erasure.not_requested", "person_id")
    requested_by = facts.request.requested_by
    require(facts.actor != requested_by, "erasure.second_person", "Acting-As")
    require(not facts.units, "erasure.still_member", "person_id", units=", ".join(facts.units))
    held = ", ".join(f"{unit_id}/{role}" for unit_id, role in facts.roles)
    require(not facts.roles, "erasure.still_in_office", "person_id", roles=held)
    return PersonErased(person_id=facts.person_id, requested_by=requested_by, confirmed_by=facts.actor)
