"""A scene: who plays, where, by which dice; and what happens on which day."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime

from avow.demo.dice import Dice
from avow.demo.founding import Cast
from avow.demo.stage import Stage

MONTHS = tuple(date(2010 + n // 12, n % 12 + 1, 1) for n in range(5, 30))
"""The first days of the campaign's months, June 2010 to June 2012."""


@dataclass(frozen=True)
class Scene:
    """What every act is played with."""

    stage: Stage
    cast: Cast
    dice: Dice


@dataclass(frozen=True)
class Act:
    """What is played at a moment; it may take up to the end of that day, and no other act's time."""

    at: datetime
    play: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class PhaseDays:
    """A phase of the campaign: when it is pledged, half-way, due, reported, verified and scored, summer to summer."""

    key: str
    year: int

    @property
    def pledged(self) -> date:
        return date(self.year, 7, 5)

    @property
    def halfway(self) -> date:
        return date(self.year, 12, 28)

    @property
    def reported(self) -> date:
        return date(self.year + 1, 6, 12)

    @property
    def due(self) -> date:
        return date(self.year + 1, 6, 15)

    @property
    def verified(self) -> date:
        return date(self.year + 1, 6, 16)

    @property
    def scored(self) -> date:
        return date(self.year + 1, 6, 29)


PHASES = (PhaseDays("phase1", 2010), PhaseDays("phase2", 2011))
