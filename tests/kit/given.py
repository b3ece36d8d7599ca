"""Given what happened, when this is asked, then these events follow, or this refusal.

given(pledge, a_submitted_pledge()).knowing(facts()).when(ApprovePledge()).then(PledgeApproved(...))
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Event
from avow.kernel.refusal import Refusal

C = TypeVar("C", bound=Command)
S = TypeVar("S")
F = TypeVar("F", bound=Facts)
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Given(Generic[C, S, F, E]):
    """An aggregate's history, and what is known when something is asked of it."""

    decider: Decider[C, S, F, E]
    history: tuple[E, ...]
    facts: F | None = None

    def knowing(self, facts: F) -> "Given[C, S, F, E]":
        """The facts of the decision."""
        return Given(self.decider, self.history, facts)

    def when(self, command: C) -> "When[C, S, F, E]":
        """What is asked."""
        return When(self, command)


@dataclass(frozen=True)
class When(Generic[C, S, F, E]):
    """A command asked of an aggregate."""

    given: Given[C, S, F, E]
    command: C

    def decided(self) -> list[E]:
        """What follows."""
        assert self.given.facts is not None, "say what is known: .knowing(facts)"
        decider = self.given.decider
        return decider.decide(self.command, decider.fold(self.given.history), self.given.facts)

    def then(self, *expected: E) -> list[E]:
        """These events follow, and no others; and each of them can be folded."""
        events = self.decided()
        assert events == list(expected)
        self.given.decider.fold([*self.given.history, *events])
        return events

    def refused(self, code: str, field: str | None = None) -> Refusal:
        """It is refused with this code, at this field."""
        with pytest.raises(Refusal) as caught:
            self.decided()
        assert caught.value.code == code
        assert caught.value.field == field
        return caught.value


def given(decider: Decider[C, S, F, E], *history: E) -> Given[C, S, F, E]:
    """The events that happened to an aggregate so far."""
    return Given(decider, history)
