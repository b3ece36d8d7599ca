"""A decider: the three pure things an aggregate is (initial state, decide, evolve).

Promises: no input, output, clock or randomness inside; the same history and command give the same events.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from avow.kernel.message import Command, Event

C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Facts:
    """What a decision may know beside its own state: when the matter happened (UTC) and who says so.

    `actor` is a person's identity, or None for whoever runs the deployment.
    """

    occurred_at: datetime
    actor: str | None = None


F = TypeVar("F", bound=Facts)


@dataclass(frozen=True)
class Decider(Generic[C, S, F, E]):
    """An aggregate: its stream's category, its initial state, and its two pure functions."""

    stream: str
    initial: S
    decide: Callable[[C, S, F], list[E]]
    evolve: Callable[[S, E], S]
    events: tuple[type[E], ...]
    beside: Mapping[type[Event], Callable[[Any], str]] = field(default_factory=dict)
    """Events decided here that go into a stream of their own, which the facts name the version of: two decisions that
    must not both hold meet there."""

    def stream_of(self, identity: str) -> str:
        """The stream that holds the aggregate `identity`, such as `pledge/4f0c…`."""
        return f"{self.stream}/{identity}"

    def stream_for(self, event: E, own: str) -> str:
        """The stream an event goes into: the aggregate's own, or the one beside it."""
        beside = self.beside.get(type(event))
        return own if beside is None else beside(event)

    def fold(self, events: Iterable[E], state: S | None = None) -> S:
        """The state after `events`, starting from `state` or from the beginning."""
        current = self.initial if state is None else state
        for event in events:
            current = self.evolve(current, event)
        return current
