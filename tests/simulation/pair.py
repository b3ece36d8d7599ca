"""One simulation: both services, a storm of faults, the calm after it, and what is left in the end.

A seed decides everything: the weather, what is asked, what fails and when, and who of those that are ready goes first.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import structlog

from avow.bus.feed_client import FeedUnavailable
from avow.bus.relay import BrokerUnavailable
from avow.eventlog import dead_letters
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.faults import fault_of
from avow.eventlog.types import EventTypes
from tests.kit.logs import ORG
from tests.simulation.books import FEW, OTHER, SIDES, WHOLE
from tests.simulation.broker import Broker
from tests.simulation.callers import Account, Caller
from tests.simulation.checker import check
from tests.simulation.database import Machine
from tests.simulation.feed import Server
from tests.simulation.loop import Stuck
from tests.simulation.process import Parts, Process, up
from tests.simulation.rest import lacking_in
from tests.simulation.store import Store
from tests.simulation.weather import Weather, drawn
from tests.simulation.world import BEGINS, Life, World

CALM = 180.0
"""Seconds after the storm within which everything must have come right."""
FENCED = 20.0
"""Seconds after which a relay that lost its place must have noticed."""
SOUND = Parts()


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: what was wrong, the digest of the whole record, virtual seconds, calls of ports."""

    seed: int | str
    wrong: tuple[str, ...]
    digest: str
    seconds: float
    calls: int
    seen: dict[str, int]
    last: tuple[str, ...]

    def __str__(self) -> str:
        shown = "\n".join(f"  {line}" for line in (*self.last, *self.wrong[:10]))
        return f"seed {self.seed} fails; python -m tests.simulation {self.seed} replays it\n{shown}"


class Pair:
    """Both services and their surroundings."""

    def __init__(self, world: World, weather: Weather, parts: Parts, whole: bool, commands: int) -> None:
        self.world, self.weather, self.parts = world, weather, parts
        self.blueprints = WHOLE if whole else FEW
        self.types = {side: EventTypes(self.blueprints[side].event_types) for side in SIDES}
        self.stores = {side: Store(side, self.blueprints[side].projections) for side in SIDES}
        self.machines = {side: Machine() for side in SIDES}
        self.accounts = {side: Account() for side in SIDES}
        self.broker = Broker(world, weather)
        self.broker.published = self._publishes
        self.processes = {side: [Process(self, side, n) for n in range(weather.processes)] for side in SIDES}
        self._prefix = dict.fromkeys(SIDES, 0)
        self._holder: dict[str, tuple[str | None, float]] = dict.fromkeys(SIDES, (None, 0.0))
        self._commands = commands
        for side in SIDES:
            self.broker.confirmed[side] = set()
            self.broker.imported[side] = partial(self.imported, side)
            self.broker.buried[side] = partial(self.buried, side)
            self.stores[side].written = partial(self.look, side)
        parts.prepare(self)

    def now(self) -> datetime:
        """The true time."""
        return BEGINS + timedelta(seconds=self.world.loop.time())

    def servers(self, side: str) -> list[Server]:
        """The processes of a service that answer."""
        return up(self.processes[side])

    def imported(self, source: str) -> int:
        """How far the events of `source` are committed at the other side."""
        query = "SELECT coalesce(max(version), 0) FROM event WHERE org = ? AND stream LIKE 'import/%'"
        return int(self.stores[OTHER[source]].ask(query, ORG)[0][0])

    def buried(self, source: str, body: bytes) -> bool:
        """Whether the other side of `source` keeps this as a dead letter, or counts it among many like it."""
        of_many = "SELECT fingerprint FROM dead_letter GROUP BY fingerprint HAVING count(*) >= ?"
        query = f"SELECT 1 FROM dead_letter WHERE body = ? OR fingerprint IN ({of_many})"
        return bool(self.stores[OTHER[source]].ask(query, body, dead_letters.KEPT))

    def look(self, side: str) -> None:
        """See, after a commit, that the relay's checkpoint is not ahead of the broker."""
        for sequence, holder in self.stores[side].ask("SELECT sequence, holder FROM relay WHERE org = ?", ORG):
            confirmed = self.broker.confirmed[side]
            while self._prefix[side] + 1 in confirmed:
                self._prefix[side] += 1
            if sequence > self._prefix[side]:
                self.world.fail(f"the relay of {side} stands at {sequence}, the broker at {self._prefix[side]}")
            if holder != self._holder[side][0]:
                self._holder[side] = (holder, self.world.loop.time())

    def _publishes(self, life: Life) -> None:
        for side in SIDES:
            for process in self.processes[side]:
                holder, since = self._holder[side]
                if process.life is life and process.place_id is not None and holder is not None:
                    since = max(since, life.answers_from) + FENCED
                    if holder.replace("-", "") != process.place_id.hex and self.world.loop.time() > since:
                        self.world.fail(f"{life.name} publishes long after its place was taken")

    async def run(self) -> None:
        """Storm, calm, end."""
        everybody = [process for side in SIDES for process in self.processes[side]]
        running = [asyncio.create_task(process.run()) for process in everybody]
        callers = [
            asyncio.create_task(Caller(self, side, n, self._commands, self.accounts[side]).run())
            for side in SIDES
            for n in range(3)
        ]
        storm = asyncio.create_task(self._storm(everybody))
        ends = self.world.loop.time() + self.weather.storm
        while not self.world.wrong and self.world.loop.time() < ends:  # noqa: ASYNC110 - it is time that is waited for
            await asyncio.sleep(min(1.0, ends - self.world.loop.time()))
        storm.cancel()
        self._calm(everybody)
        ends = self.world.loop.time() + CALM
        while (lacking := lacking_in(self, callers)) and not self.world.wrong and self.world.loop.time() < ends:  # noqa: ASYNC110
            await asyncio.sleep(1.0)
        if lacking and not self.world.wrong:
            self.world.fail(f"{CALM:.0f} s after the faults ended: {'; '.join(lacking)}")
        if not self.world.wrong:
            for wrong in await check(self):
                self.world.fail(wrong)
        for side in SIDES:
            self.world.note(side, f"ends with {self.stores[side].ask('SELECT position, hex(hash) FROM log_head')}")
        for task in (*running, *callers):
            task.cancel()
        for life in self.world.lives:
            life.end()
        await asyncio.sleep(0)

    async def _storm(self, everybody: list[Process]) -> None:
        weather, chance = self.weather, self.world.chance("storm")
        async with asyncio.TaskGroup() as faults:

            def often(mean: float, strike: Callable[[Random], Any]) -> None:
                if mean:
                    faults.create_task(self._now_and_then(mean, strike, Random(chance.random())))

            often(weather.outage_after, self._outage)
            for side in SIDES:
                often(weather.away_after, lambda c, side=side: self._away(side, c))  # type: ignore[misc]
            for process in everybody:
                often(weather.stop_after, lambda c, p=process: self._stop(p, c))  # type: ignore[misc]
                often(weather.skew_after, lambda c, p=process: self._skew(p, c))  # type: ignore[misc]
                if weather.restart_after:
                    faults.create_task(self._restarts(process, Random(chance.random())))

    async def _now_and_then(self, mean: float, strike: Callable[[Random], Any], chance: Random) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / mean))
            strike(chance)

    async def _restarts(self, process: Process, chance: Random) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / self.weather.restart_after))
            # What is begun is ended, also when the storm is over.
            await asyncio.shield(asyncio.create_task(process.stop()))

    def _outage(self, chance: Random) -> None:
        self.broker.outage(chance.choice((0.5, 1.0, 5.0, 20.0, 120.0)), chance.random() < self.weather.wiped)

    def _away(self, side: str, chance: Random) -> None:
        machine = self.machines[side]
        machine.full = chance.random() < self.weather.full
        machine.away_until = self.world.loop.time() + chance.choice((0.1, 0.5, 0.5, 3.0, 20.0))
        self.world.note(side, f"database {'full' if machine.full else 'away'} until {machine.away_until:.1f}")

    def _stop(self, process: Process, chance: Random) -> None:
        if process.life is not None and process.life.alive:
            until = self.world.loop.time() + chance.choice((1.0, 10.0, 30.0))
            process.life.answers_from = max(until, process.life.answers_from)
            self.world.seen["process stopped"] += 1
            self.world.note(process.life.name, f"is stopped until {process.life.answers_from:.1f}")

    def _skew(self, process: Process, chance: Random) -> None:
        process.clock.skew = timedelta(seconds=chance.uniform(-7200, 7200))
        self.world.seen["clock set"] += 1
        self.world.note(process.side, f"clock off by {process.clock.skew}")

    def _calm(self, everybody: list[Process]) -> None:
        self.world.note("weather", "CALM")
        self.weather.calm()
        now = self.world.loop.time()
        self.broker.down_until = min(self.broker.down_until, now + 5)
        for machine in self.machines.values():
            machine.away_until = min(machine.away_until, now + 2)
        for process in everybody:
            if process.life is not None:
                process.life.dies_at = None


def simulate(
    seed: int | str,
    parts: Parts = SOUND,
    told: Callable[[str], None] | None = None,
    weather: Callable[[Weather], Weather] = replace,
    prepare: Callable[[Pair], None] = lambda _: None,
    commands: int = 8,
) -> Outcome:
    """Run one seed to its end. Every tenth seed has every view of both services."""
    world = World(seed, told)
    asyncio.set_event_loop(world.loop)
    pair = Pair(
        world, weather(drawn(world.chance("weather"))), parts, whole=isinstance(seed, int) and seed % 10 == 0,
        commands=commands,
    )  # fmt: skip
    prepare(pair)
    with _heard(world):
        try:
            world.loop.run_until_complete(pair.run())
        except Stuck as stuck:
            world.fail(f"stuck: {stuck}")
        finally:
            _put_away(world)
    return Outcome(
        seed, tuple(world.wrong), world.digest, world.loop.time(), world.calls, dict(world.seen), tuple(world.last)
    )


def _put_away(world: World) -> None:
    """End what is left of the lives, and close the loop."""
    for task in asyncio.all_tasks(world.loop):
        task.cancel()
    with suppress(Stuck):
        world.loop.run_until_complete(asyncio.sleep(1))
    asyncio.set_event_loop(None)
    world.loop.close()


@contextmanager
def _heard(world: World) -> Iterator[None]:
    """Write what the services log into the record; an error that nothing brought on is wrong."""

    def hear(_: Any, level: str, entry: dict[str, Any]) -> dict[str, Any]:
        error = sys.exc_info()[1] if entry.pop("exc_info", False) else None
        world.note("log", f"{level} {entry} {error!r}" if error else f"{level} {entry}")
        known = isinstance(error, BrokerUnavailable | FeedUnavailable | OutcomeUnknown) or (error and fault_of(error))
        if error is not None and not known:
            world.fail(f"{entry['event']}: {error!r}")
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    before = processors.copy()
    processors[:] = [hear]
    try:
        yield
    finally:
        processors[:] = before
