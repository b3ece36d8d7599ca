"""The runner: keeps a service's projections at the end of its log, and says when it cannot.

Promises: the projections take in each growth of the log in one transaction, each behind a savepoint of its own; one
that stopped is named in `stopped` with the position and the reason, is tried again at every growth, and holds nothing
else up (tests/contract/test_runner.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import Database
from avow.eventlog.faults import fault_of
from avow.eventlog.signal import Signal
from avow.eventlog.types import EventTypes
from avow.kernel.refusal import Refusal
from avow.projections.builds import positions
from avow.projections.folding import CannotFold
from avow.projections.projection import Projection
from avow.projections.projector import NoBuild, fold, move, news, project

IDLE = 0.5
"""Seconds after which the log is looked at even if nobody in this process wrote to it."""

PACE = 0.05
"""Seconds in which what comes is taken in together, unless somebody waits for it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Stopped:
    """Why a projection stands still, and before which position."""

    org: str
    position: int
    reason: str


class Runner:
    """Runs the projections of one service, for every organisation in its database."""

    def __init__(self, database: Database, types: EventTypes, projections: Sequence[Projection], grown: Signal) -> None:
        self.projections = tuple(projections)
        self.stopped: dict[str, Stopped] = {}
        self.interrupted = False
        """Whether the last look at the log failed altogether: the database is away, or cannot take anything."""
        self._database = database
        self._types = types
        self._grown = grown
        self._moved = Signal()
        self._wanted = Signal()
        self._awaited = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow the log in a task of its own until `stop`."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the task; what is in a transaction is finished or rolled back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def alive(self) -> bool:
        """Whether its task runs."""
        return self._task is not None and not self._task.done()

    async def advance(self) -> None:
        """Take every projection to the end of every organisation's log."""
        stopped: dict[str, Stopped] = {}
        for org, behind in (await self._database.glance(self._behind)).items():
            moving = [behind]
            while moving:
                chosen = moving.pop(0)
                # One that is far behind goes on alone, so that nobody waits long for the writer.
                limit = reading.PAGE if len(chosen) > 1 else None
                outcomes = await self._database.write(partial(_project, org, chosen, self._types, limit))
                self._moved.raise_()
                for name, outcome in outcomes.items():
                    if isinstance(outcome, Stopped):
                        stopped.setdefault(name, outcome)
                moving += [(projection,) for projection in chosen if outcomes[projection.name] is True]
        for name in stopped.keys() - self.stopped.keys():
            why = stopped[name]
            log.error("projection.stopped", projection=name, org=why.org, position=why.position, reason=why.reason)
        self.stopped = stopped
        self._moved.raise_()

    async def reach(self, org: str, position: int, names: Sequence[str], patience: float = 10.0) -> None:
        """Wait until the projections named have taken in `position`.

        Raises Refusal: `position.ahead_of_log` where the log itself is not so far, `position.not_reached` after
        `patience` seconds, or at once where one of them has stopped.
        """
        self._awaited += 1
        self._wanted.raise_()
        try:
            await self._reach(org, position, names, patience)
        finally:
            self._awaited -= 1

    async def _reach(self, org: str, position: int, names: Sequence[str], patience: float) -> None:
        chosen = [projection for projection in self.projections if projection.name in names]
        deadline = asyncio.get_running_loop().time() + patience

        def reached(connection: Connection) -> int:
            found = positions(connection, org, chosen)
            return min((found.get(projection.name, 0) for projection in chosen), default=position)

        head = await self._database.glance(partial(_last_position, org))
        if head < position:
            raise Refusal("position.ahead_of_log", "min_position", position=position, head=head)
        while True:
            seen = self._moved.raised
            at = await self._database.glance(reached)
            if at >= position:
                return
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or any(name in self.stopped and self.stopped[name].org == org for name in names):
                raise Refusal("position.not_reached", "min_position", position=position, reached=at)
            await self._moved.wait(min(left, IDLE), seen)

    def _behind(self, connection: Connection) -> dict[str, tuple[Projection, ...]]:
        """The projections that are not at the end of each organisation's log, where there are any."""
        found = {}
        for org in reading.organisations(connection):
            head, reached = _last_position(org, connection), positions(connection, org, self.projections)
            behind = [projection for projection in self.projections if reached.get(projection.name, -1) < head]
            if behind:
                found[org] = tuple(behind)
        return found

    async def _run(self) -> None:
        while True:
            seen = self._grown.raised
            try:
                await self.advance()
                self.interrupted = False
            except Exception:
                # The database may be away; the next round finds out.
                if not self.interrupted:
                    log.exception("projections.interrupted")
                self.interrupted = True
            await self._grown.wait(IDLE, seen)
            if not self._awaited:
                await self._wanted.wait(PACE)


def _project(
    org: str, projections: Sequence[Projection], types: EventTypes, limit: int | None, connection: Connection
) -> Mapping[str, bool | Stopped]:
    """For each projection whether there is more to take in, or why it stands still."""
    outcomes: dict[str, bool | Stopped] = {}
    moved: dict[str, int] = {}
    come = news(connection, org, projections)
    for projection in projections:
        name, place = projection.name, come.places.get(projection.name)
        try:
            if place is None:
                with connection.begin_nested():
                    outcomes[name] = project(connection, org, projection, types, limit)
                continue
            # Most of what is said concerns few of them.
            if records := come.of(projection):
                with connection.begin_nested():
                    fold(connection, org, projection, place[0], types, records)
            moved[name], outcomes[name] = place[0], False
        except CannotFold as error:
            outcomes[name] = Stopped(org, error.position, error.reason)
        except NoBuild as error:
            outcomes[name] = Stopped(org, 0, type(error).__name__)
        except DBAPIError as error:
            if fault_of(error):
                raise
            # Its tables are gone or not what they were; where it stood cannot be asked here.
            outcomes[name] = Stopped(org, 0, type(error.orig).__name__)
    move(connection, org, moved, come.end)
    return outcomes


def _last_position(org: str, connection: Connection) -> int:
    head = read_head(connection, org)
    return 0 if head is None else head.position
