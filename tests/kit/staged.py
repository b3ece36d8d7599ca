"""Both services in this process on a simulated clock, and the stage the demo plays on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from avow.demo.client import Player
from avow.demo.stage import Line, Stage
from avow.kernel.ports import Ports, SimulatedClock
from avow.service.hosting import Deployment, deployment
from avow.service.settings import Settings

ORG = "demo"


@asynccontextmanager
async def staged(settings: Settings, clock: SimulatedClock) -> AsyncIterator[tuple[Deployment, Stage]]:
    async with deployment(settings, Ports(clock)) as running:
        pledge, evaluation = (Player(running.urls[name], running.token, ORG) for name in ("pledge", "evaluation"))
        try:
            yield running, Stage(clock, pledge, evaluation, _ignore)
        finally:
            await pledge.close()
            await evaluation.close()


def _ignore(line: Line) -> None:
    return
