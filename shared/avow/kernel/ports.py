"""The ports to what cannot be replayed: the clock, fresh identities and randomness.

Promises: nothing else in the project asks the machine for the time, an identity or a random byte, so the whole pair
can run on a simulated clock and from one seed.
"""

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol
from uuid import UUID

ClockKind = Literal["real", "simulated"]


class Clock(Protocol):
    """Tells the time, in UTC with a time zone."""

    @property
    def kind(self) -> ClockKind: ...

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    kind: ClockKind = "real"

    def now(self) -> datetime:
        return datetime.now(UTC)


class SimulatedClock:
    """A clock that stands until it is set; it is never set back."""

    kind: ClockKind = "simulated"

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        """Move on to `moment`; an earlier one is a ValueError."""
        if moment < self._now:
            raise ValueError(f"a simulated clock is never set back: {moment.isoformat()} < {self._now.isoformat()}")
        self._now = moment.astimezone(UTC)


@dataclass(frozen=True)
class Ports:
    """The clock and the source of random bytes a process runs on."""

    clock: Clock = field(default_factory=SystemClock)
    random_bytes: Callable[[int], bytes] = secrets.token_bytes

    def new_id(self) -> UUID:
        """A fresh random identity (UUID version 4)."""
        return UUID(bytes=self.random_bytes(16), version=4)


def seeded(seed: int) -> Callable[[int], bytes]:
    """Reproducible random bytes for tests and simulations; never for keys that guard anything."""
    return random.Random(seed).randbytes
