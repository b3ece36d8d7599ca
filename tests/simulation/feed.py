"""The feed of one service as a process of the other hears it: pages, head and live stream, with what fails on the way.

It reads the source's log through a process of the source, so it is away while none of them runs.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from avow.bus.feed_client import FeedClient, FeedPage, FeedUnavailable
from avow.bus.format import FeedHead
from avow.contracts.envelope import encode
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import Database
from avow.eventlog.signal import Signal
from tests.simulation.weather import Weather
from tests.simulation.world import Life, World

T = TypeVar("T")
SILENT = 25.0
"""Seconds after which an answer that does not come is given up."""
POLL = 0.5
MOST = 2**53


class Unreachable(Exception):
    """No process of the service answers, or its answer was lost."""


class Server:
    """What a process offers to whoever reaches it."""

    def __init__(self, life: Life, database: Database, grown: Signal) -> None:
        self.life, self.database, self.grown = life, database, grown

    async def ask(self, work: Callable[[], Awaitable[T]], patience: float) -> T:
        """The answer of this process; Unreachable where it ends before, or does not answer in time."""

        async def answer() -> T:
            return await work()

        if not self.life.alive:
            raise Unreachable("nobody answers")
        task = self.life.begin(answer())
        # Whoever asked may not wait for it any more.
        task.add_done_callback(_heard)
        dying = asyncio.ensure_future(self.life.died.wait())
        try:
            await asyncio.wait({task, dying}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            dying.cancel()
        if task.done() and not self.life.died.is_set() and not task.cancelled():
            return task.result()
        raise Unreachable("no answer")


def _heard(answering: asyncio.Task[object]) -> None:
    if not answering.cancelled():
        answering.exception()


class SimulatedFeed(FeedClient):
    """Reads the log of the service whose processes `servers` gives."""

    def __init__(self, world: World, life: Life, weather: Weather, servers: Callable[[], Sequence[Server]]) -> None:
        self._world, self._life, self._weather, self._servers = world, life, weather, servers
        self._chance: Random = world.chance(f"feed for {life.name}")

    async def head(self, org: str) -> FeedHead:
        def read(connection: Connection) -> FeedHead | None:
            head = read_head(connection, org)
            if head is None:
                return None
            return FeedHead(log_id=head.log_id, sequence=head.sequence, service=head.service)

        return self._there(await self._read("head", read))

    async def page(self, org: str, after: int, limit: int = 1000, types: Sequence[str] | None = None) -> FeedPage:
        def read(connection: Connection) -> FeedPage | None:
            head = read_head(connection, org)
            if head is None:
                return None
            found = reading.envelopes(connection, org, after, head.sequence, types, limit)
            reached = found[-1].sequence if len(found) == limit else head.sequence
            return FeedPage([encode(one) for one in found], reached, head.sequence, head.log_id)

        return self._there(await self._read(f"page after {after}", read))

    async def live(self, org: str, after: int) -> AsyncGenerator[list[bytes], None]:
        while True:
            server = self._server()
            seen = server.grown.raised

            def read(connection: Connection, after: int = after) -> list[tuple[int, bytes]]:
                found = reading.envelopes(connection, org, after, MOST, None, 500)
                return [(one.sequence, encode(one)) for one in found]

            found = await self._read("live", read)
            if found:
                after = found[-1][0]
                yield [line for _, line in found]
            else:
                await server.grown.wait(POLL, seen)

    async def close(self) -> None:
        """There is no connection to close."""

    async def _read(self, what: str, read: Callable[[Connection], T]) -> T:
        self._world.touch(self._life, f"feed: {what}")
        lost = self._weather.strikes(self._chance, self._weather.feed)
        await self._world.wait(self._life, self._chance.uniform(0.001, 0.02))
        if lost:
            self._world.seen["feed failed"] += 1
            await self._world.wait(self._life, self._chance.choice((0.0, 1.0, SILENT)))
            raise FeedUnavailable("ReadTimeout")
        server = self._server()
        try:
            answer = await server.ask(lambda: server.database.read(read), SILENT)
        except FeedUnavailable:
            raise
        except Exception as error:
            raise FeedUnavailable(type(error).__name__) from error
        self._world.touch(self._life, f"feed: {what} answered")
        return answer

    def _server(self) -> Server:
        servers = self._servers()
        if not servers:
            raise FeedUnavailable("ConnectError")
        return self._chance.choice(servers)

    def _there(self, answer: T | None) -> T:
        if answer is None:
            raise FeedUnavailable("org.unknown")
        return answer
