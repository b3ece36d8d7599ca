"""The states of the aggregates lately decided on, each with the version of its stream it was folded up to.

Promises: a state that is held is one the log gave at that version; whether the stream still stands there is decided by
the append that rests on it. Bounded (tests/contract/test_execute.py).
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

HELD = 10_000
"""How many states are held; those not asked for longest go first."""


@dataclass(frozen=True, slots=True)
class Held:
    """An aggregate's state, the version of its stream, and when its last event happened."""

    state: Any
    version: int
    last: datetime | None


class States:
    """Holds states by organisation and stream."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Held] = OrderedDict()

    def get(self, org: str, stream: str) -> Held | None:
        """What is held of an aggregate, if anything."""
        held = self._held.get((org, stream))
        if held is not None:
            self._held.move_to_end((org, stream))
        return held

    def put(self, org: str, stream: str, held: Held) -> None:
        """Hold this."""
        self._held[org, stream] = held
        self._held.move_to_end((org, stream))
        while len(self._held) > HELD:
            self._held.popitem(last=False)

    def drop(self, org: str, stream: str) -> None:
        """Hold nothing of this aggregate any more."""
        self._held.pop((org, stream), None)
