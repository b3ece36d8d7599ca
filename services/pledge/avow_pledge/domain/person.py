"""A person: known by an identity, with a name that is sealed under a key of their own until it is erased (R-06).

Promises: nothing but the sealed field of the one event holds the name; it prints nowhere. To erase takes two: one asks,
another confirms, and with the confirmation the key is gone; who has left every unit and office can be erased, and what
names an erased person anew is refused.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from avow.contracts.organisation import PersonErased, PersonRegistered
from avow.contracts.values import Identity
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line, PrivateEvent
from avow.kernel.refusal import Refusal, require

Basis = Literal["consent_withdrawn", "purpose_achieved", "retention_over", "unlawful", "other"]


class RegisterPerson(Command):
    """Enter a person."""

    name: Annotated[Line, Field(repr=False)]


class RequestErasure(Command):
    """Ask that the person's name be erased for ever, and say on which ground."""

    basis: Basis


class WithdrawErasure(Command):
    """Take the request back, while it is not confirmed."""


class ConfirmErasure(Command):
    """Erase the person's name for ever, as somebody else has asked."""


PersonCommand = RegisterPerson | RequestErasure | WithdrawErasure | ConfirmErasure


class ErasureRequested(PrivateEvent, type="erasure.requested"):
    """Somebody asked that the person be erased; null is whoever runs the deployment."""

    person_id: Identity
    basis: Basis
    requested_by: Identity | None


class ErasureWithdrawn(PrivateEvent, type="erasure.withdrawn"):
    """The request holds no longer."""

    person_id: Identity


PersonEvent = PersonRegistered | ErasureRequested | ErasureWithdrawn | PersonErased


@dataclass(frozen=True)
class Person:
    """What the next decision needs: whether the name is there, and the request that is not confirmed yet."""

    registered: bool = False
    erased: bool = False
    request: ErasureRequested | None = None


@dataclass(frozen=True, kw_only=True)
class PersonFacts(Facts):
    """Whose identity is given out or asked about; for a confirmation also where the person still belongs."""

    person_id: str
    units: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()


def decide(command: PersonCommand, person: Person, facts: PersonFacts) -> list[PersonEvent]:
    if isinstance(command, RegisterPerson):
        require(not person.registered, "person.registered_already", "person_id")
        return [PersonRegistered(person_id=facts.person_id, name=command.name)]
    require(person.registered, "person.unknown", "person_id")
    require(not person.erased, "person.erased", "person_id")
    match command:
        case RequestErasure():
            require(person.request is None, "erasure.requested_already", "person_id")
            return [ErasureRequested(person_id=facts.person_id, basis=command.basis, requested_by=facts.actor)]
        case WithdrawErasure():
            require(person.request is not None, "erasure.not_requested", "person_id")
            return [ErasureWithdrawn(person_id=facts.person_id)]
        case ConfirmErasure():
            return [_erased(person.request, facts)]


def evolve(person: Person, event: PersonEvent) -> Person:
    match event:
        case PersonRegistered():
            return Person(registered=True)
        case ErasureRequested():
            return replace(person, request=event)
        case ErasureWithdrawn():
            return replace(person, request=None)
        case PersonErased():
            return replace(person, request=None, erased=True)


person: Decider[PersonCommand, Person, PersonFacts, PersonEvent] = Decider(
    stream="person",
    initial=Person(),
    decide=decide,
    evolve=evolve,
    events=(PersonRegistered, ErasureRequested, ErasureWithdrawn, PersonErased),
)


def _erased(request: ErasureRequested | None, facts: PersonFacts) -> PersonErased:
    """Whoever asked does not confirm, and the person is of no unit and in no office any more."""
    if request is None:
        raise Refusal("erasure.not_requested", "person_id")
    require(facts.actor != request.requested_by, "erasure.second_person", "Acting-As")
    require(not facts.units, "erasure.still_member", "person_id", units=", ".join(facts.units))
    held = ", ".join(f"{unit_id}/{role}" for unit_id, role in facts.roles)
    require(not facts.roles, "erasure.still_in_office", "person_id", roles=held)
    return PersonErased(person_id=facts.person_id, requested_by=request.requested_by, confirmed_by=facts.actor)
