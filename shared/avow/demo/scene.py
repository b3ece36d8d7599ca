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
    """A phase of the campaign: when it is pledged, half-way, fulfilled and scored; the day its pledges are due."""

    key: str
    begins: date
    pledged: date
    halfway: date
    due: date
    reported: date
    verified: date
    scored: date


PHASES = (
    PhaseDays(
        "phase1",
        begins=date(2010, 6, 1),
        pledged=date(2010, 7, 5),
        halfway=date(2010, 12, 28),
        due=date(2011, 6, 15),
        reported=date(2011, 6, 12),
        verified=date(2011, 6, 16),
        scored=date(2011, 6, 29),
    ),
    PhaseDays(
        "phase2",
        begins=date(2011, 7, 1),
        pledged=date(2011, 7, 5),
        halfway=date(2011, 12, 28),
        due=date(2012, 6, 15),
        reported=date(2012, 6, 12),
        verified=date(2012, 6, 16),
        scored=date(2012, 6, 29),
    ),
)
