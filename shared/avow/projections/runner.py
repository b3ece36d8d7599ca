"""The runner: keeps a service's projections at the end of its log, and says when it cannot.

Promises: each projection advances by itself; one that stopped is named in `stopped` with the position and the reason,
is tried again at every growth of the log, and holds nothing else up.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import Database
from avow.eventlog.records import EventTypes
from avow.eventlog.signal import Signal
from avow.kernel.refusal import Refusal
from avow.projections.projection import Projection
from avow.projections.projector import CannotFold, position_of, project

IDLE = 0.5
"""Seconds after which the log is looked at even if nobody in this process wrote to it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Stopped:
    """Why a projection stands still."""

    org: str
    position: int
    reason: str


class Runner:
    """Runs the projections of one service, for every organisation in its database."""

    def __init__(self, database: Database, types: EventTypes, projections: Sequence[Projection], grown: Signal) -> None:
        self.projections = tuple(projections)
        self.stopped: dict[str, Stopped] = {}
        self._database = database
        self._types = types
        self._grown = grown
        self._moved = Signal()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Run each projection in a task of its own until `stop`."""
        self._tasks = [asyncio.create_task(self._run(projection)) for projection in self.projections]

    async def stop(self) -> None:
        """End the tasks; what is in a transaction is finished or rolled back."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def advance(self, projection: Projection) -> None:
        """Take one projection to the end of every organisation's log."""
        stopped: Stopped | None = None
        for org in await self._database.read(reading.organisations):
            try:
                while await self._database.write(partial(_project, org, projection, self._types)):
                    self._moved.raise_()
            except CannotFold as error:
                cause = type(error.__cause__).__name__
                if projection.name not in self.stopped:
                    log.exception("projection stopped", projection=projection.name, position=error.position)
                stopped = stopped or Stopped(org, error.position, cause)
        if stopped is None:
            self.stopped.pop(projection.name, None)
        else:
            self.stopped[projection.name] = stopped
        self._moved.raise_()

    async def reach(self, org: str, position: int, names: Sequence[str], patience: float = 10.0) -> None:
        """Wait until the projections named have taken in `position`.

        Raises Refusal `position.not_reached` after `patience` seconds, or at once where the log itself is not so far.
        """
        chosen = [projection for projection in self.projections if projection.name in names]
        deadline = asyncio.get_running_loop().time() + patience

        def behind(connection: Connection) -> bool:
            return any((position_of(connection, org, projection) or 0) < position for projection in chosen)

        def beyond(connection: Connection) -> bool:
            head = read_head(connection, org)
            return head is None or head.position < position

        if await self._database.read(beyond):
            raise Refusal("position.not_reached", "min_position", position=position)
        while True:
            seen = self._moved.raised
            if not await self._database.read(behind):
                return
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or any(name in self.stopped and self.stopped[name].org == org for name in names):
                raise Refusal("position.not_reached", "min_position", position=position)
            await self._moved.wait(min(left, IDLE), seen)

    async def _run(self, projection: Projection) -> None:
        while True:
            seen = self._grown.raised
            try:
                await self.advance(projection)
            except Exception:
                # The database may be away; the next round finds out.
                log.exception("projection interrupted", projection=projection.name)
            await self._grown.wait(IDLE, seen)


def _project(org: str, projection: Projection, types: EventTypes, connection: Connection) -> bool:
    return project(connection, org, projection, types)
