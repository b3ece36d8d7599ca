"""The request to erase a person, which waits for somebody else to confirm it (R-06).

Promises: it names a ground out of a list and nobody but the two it concerns, so that nothing personal is left of it.
"""

from dataclasses import dataclass
from typing import Literal

from avow.contracts.values import Identity
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent
from avow.kernel.refusal import require

Basis = Literal["consent_withdrawn", "purpose_achieved", "retention_over", "unlawful", "other"]


class RequestErasure(Command):
    """Ask that the person's name be erased for ever, and say on which ground."""

    basis: Basis


class WithdrawErasure(Command):
    """Take the request back, while it is not confirmed."""


ErasureCommand = RequestErasure | WithdrawErasure


class ErasureRequested(PrivateEvent, type="erasure.requested"):
    """Somebody asked that the person be erased; null is whoever runs the deployment."""

    person_id: Identity
    basis: Basis
    requested_by: Identity | None


class ErasureWithdrawn(PrivateEvent, type="erasure.withdrawn"):
    """The request holds no longer."""

    person_id: Identity


ErasureEvent = ErasureRequested | ErasureWithdrawn


@dataclass(frozen=True)
class Erasure:
    """What the next decision needs: the request that waits."""

    request: ErasureRequested | None = None


@dataclass(frozen=True, kw_only=True)
class ErasureFacts(Facts):
    """Who is to be erased."""

    person_id: str


def decide(command: ErasureCommand, erasure: Erasure, facts: ErasureFacts) -> list[ErasureEvent]:
    match command:
        case RequestErasure():
            require(erasure.request is None, "erasure.requested_already", "person_id")
            return [ErasureRequested(person_id=facts.person_id, basis=command.basis, requested_by=facts.actor)]
        case WithdrawErasure():
            require(erasure.request is not None, "erasure.not_requested", "person_id")
            return [ErasureWithdrawn(person_id=facts.person_id)]


def evolve(erasure: Erasure, event: ErasureEvent) -> Erasure:
    match event:
        case ErasureRequested():
            return Erasure(request=event)
        case ErasureWithdrawn():
            return Erasure()


erasure: Decider[ErasureCommand, Erasure, ErasureFacts, ErasureEvent] = Decider(
    stream="erasure",
    initial=Erasure(),
    decide=decide,
    evolve=evolve,
    events=(ErasureRequested, ErasureWithdrawn),
)
