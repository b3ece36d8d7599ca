"""The stage: the clock the player sets, the two services as clients see them, and what is told meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone

from avow.demo.client import Player, Refused
from avow.kernel.ports import SimulatedClock

COLLEGE_TIME = timezone(timedelta(hours=8))
HEARD_WITHIN = 120.0


@dataclass(frozen=True)
class Line:
    """One thing that happened, in both languages; `refused` is the code where a service said no, as it should."""

    at: datetime
    zh: str
    en: str
    refused: str | None = None


async def _has_heard(importer: Player, public: int) -> bool:
    heard: int = (await importer.read("status"))["follows"]["imported_sequence"]
    return heard >= public


def moment(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """A moment of the college's time."""
    return datetime.combine(day, time(hour, minute), COLLEGE_TIME)


@dataclass
class Stage:
    """Where the demo is played."""

    clock: SimulatedClock
    pledge: Player
    evaluation: Player
    listener: Callable[[Line], None]
    lines: list[Line] = field(default_factory=list)

    @property
    def commands(self) -> int:
        """How many commands were given so far."""
        return self.pledge.commands + self.evaluation.commands

    def at(self, day: date, hour: int = 9, minute: int = 0) -> datetime:
        """Move the clock on to a moment of the college's time."""
        then = moment(day, hour, minute)
        self.clock.set(then)
        return then

    def tell(self, zh: str, en: str, refused: str | None = None) -> None:
        """Say what happened."""
        line = Line(self.clock.now().astimezone(COLLEGE_TIME), zh, en, refused)
        self.lines.append(line)
        self.listener(line)

    def tell_refusal(self, what_zh: str, what_en: str, refused: Refused) -> None:
        """Say what was tried and why the service said no."""
        problem = refused.problem
        at = f"（{problem['field']}）" if problem.get("field") else ""
        self.tell(
            f"{what_zh} → {problem['detail_zh']}{at}",
            f"{what_en} → {problem['detail_en']}",
            refused=str(problem["code"]),
        )

    async def heard(self) -> None:
        """Wait until each service has imported what the other made public; TimeoutError if it does not."""
        async with asyncio.timeout(HEARD_WITHIN):
            for source, importer in ((self.pledge, self.evaluation), (self.evaluation, self.pledge)):
                public = (await source.read("status"))["sequence"]
                while not await _has_heard(importer, public):  # noqa: ASYNC110 - a client has nothing to be woken by
                    await asyncio.sleep(0.02)
