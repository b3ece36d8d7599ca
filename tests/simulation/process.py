"""A process of a service: the production service, relay, inbox and follower over simulated ports, begun again whenever
it ends."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from avow.bus.follower import Follower
from avow.bus.inbox import Inbox
from avow.bus.queue import Deliveries
from avow.bus.relay import Relay
from avow.eventlog.execute import Executor
from avow.projections.runner import Runner
from avow.service.service import Service
from tests.kit.logs import ORG
from tests.simulation.books import OTHER
from tests.simulation.database import SimulatedDatabase
from tests.simulation.feed import Server, SimulatedFeed
from tests.simulation.wires import Ear, Wire
from tests.simulation.world import Clock, Life

if TYPE_CHECKING:
    from tests.simulation.pair import Pair

ENDS_WITHIN = 90.0
"""Seconds a process may take to stop in good order."""


@dataclass(frozen=True)
class Parts:
    """What a process is built of; a planted bug takes the place of one."""

    relay: type[Relay] = Relay
    deliveries: type[Deliveries] = Deliveries
    inbox: type[Inbox] = Inbox
    executor: type[Executor] = Executor
    runner: type[Runner] = Runner
    prepare: Callable[["Pair"], None] = lambda _: None
    """Changes the pair before it begins."""


class Process:
    """The n-th process of a service."""

    def __init__(self, pair: "Pair", side: str, number: int) -> None:
        self.side = side
        self.ends_at: int | None = None
        """The call of its first life at which it ends; else the weather has it."""
        self.life: Life | None = None
        self.server: Server | None = None
        self.service: Service | None = None
        self.relay: Relay | None = None
        self.follower: Follower | None = None
        self._pair, self._world = pair, pair.world
        self._name = f"{side}-{number}"
        self.clock = Clock(pair.world.loop)
        self._chance: Random = pair.world.chance(self._name)

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return self.life is not None and self.life.alive and self.server is not None

    @property
    def place_id(self) -> UUID | None:
        """What its relay calls itself at the place."""
        return None if self.relay is None else self.relay._me

    async def run(self) -> None:
        """Live, and live again."""
        while True:
            life = self.life = self._world.born(self._name, self.clock)
            if self.ends_at is not None:
                life.dies_at, self.ends_at = self.ends_at, None
            elif self._pair.weather.crash_after:
                life.dies_at = 1 + int(self._chance.expovariate(1 / self._pair.weather.crash_after))
            self._world.note(life.name, "begins")
            beginning = life.begin(self._begin(life))
            await asyncio.wait([beginning])
            if life.alive and not beginning.cancelled() and beginning.exception() is not None:
                self._world.note(life.name, f"could not begin: {type(beginning.exception()).__name__}")
                life.end()
            await life.died.wait()
            self.server = self.service = self.relay = self.follower = None
            self._pair.broker.gone(life)
            await asyncio.sleep(self._chance.choice((0.1, 1.0, self._chance.uniform(1, 15))))

    async def stop(self) -> None:
        """End in good order; the next life begins soon."""
        life, service = self.life, self.service
        if life is None or service is None or not life.alive:
            return
        self.server = None
        self._world.note(life.name, "is asked to end")
        self._world.seen["restart"] += 1
        ending = life.begin(self._end(service))
        dying = asyncio.ensure_future(life.died.wait())
        await asyncio.wait({ending, dying}, timeout=ENDS_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if life.alive:
            if not ending.done():
                self._world.fail(f"{life.name} does not end: {life.left_over()}")
            elif ending.exception() is not None:
                self._world.fail(f"{life.name} ended by {ending.exception()!r}")
            life.end()

    async def _begin(self, life: Life) -> None:
        pair, other, parts = self._pair, OTHER[self.side], self._pair.parts
        database = SimulatedDatabase(pair.world, life, pair.stores[self.side], pair.machines[self.side], pair.weather)
        service = Service(pair.blueprints[self.side], database, life.ports, (ORG,))
        service.executor = parts.executor(
            database, service.appender, service.types, life.ports, service.facts_are_current
        )
        service.runner = parts.runner(database, service.types, service.blueprint.projections, service.grown)
        await service.start()
        feed = SimulatedFeed(pair.world, life, pair.weather, lambda: pair.servers(other))
        inbox = parts.inbox(database, service.appender, ORG)
        if pair.weather.by_queue:
            self.relay = parts.relay(Wire(pair.broker, life, self.side), database, ORG, service.grown, life.ports)
            self.relay.start()
            line = parts.deliveries(f"{self.side}.inbox.{ORG}", partial(service.dead.bury, ORG))
            life.begin(Ear(pair.broker, life, other, line).run())
            self.follower = Follower(feed, inbox, ORG, life.ports, line.listen)
        else:
            self.follower = Follower(feed, inbox, ORG, life.ports)
        self.follower.start()
        self.service = service
        self.server = Server(life, database, service.grown)

    async def _end(self, service: Service) -> None:
        if self.relay is not None:
            await self.relay.stop()
        if self.follower is not None:
            await self.follower.stop()
        await service.stop()


def up(processes: Sequence[Process]) -> list[Server]:
    """Those that answer."""
    return [process.server for process in processes if process.running and process.server is not None]
