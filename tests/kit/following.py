"""A source that is served or not, and a follower of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from avow.bus.feed_client import FeedClient
from avow.bus.follower import Follower
from avow.bus.inbox import Inbox
from avow.bus.status import State, Status
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, Log, a_log
from tests.unit.bus.serving import free_port, imported_by, lines_of, say, serving

PATIENCE = 30.0


@dataclass
class Pair:
    """A source that is served or not, and a follower of it."""

    folder: Path
    port: int
    importer: Log
    follower: Follower

    @asynccontextmanager
    async def source(self, name: str = "source", seed: int = 1, said: Iterable[int] = ()) -> AsyncIterator[Log]:
        """The source's log, served at its port until the block ends; what is `said` is in it before that."""
        ports = Ports(SimulatedClock(START), seeded(seed))
        async with a_log(f"sqlite:///{self.folder}/{name}.db", ports) as log:
            await say(log, *said)
            async with serving(log, self.port):
                yield log

    async def until(self, holds: Callable[[Status], bool]) -> None:
        """Wait until this holds of what the follower says of itself."""
        async with asyncio.timeout(PATIENCE):
            while not holds(self.follower.status):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def is_in_state(self, state: State, reason: str | None = None) -> None:
        """Wait until the follower says so, with this reason if one is given."""
        await self.until(lambda status: status.state == state and reason in (None, status.reason))

    async def has_imported(self, log: Log) -> None:
        """Wait until the feed of `log` is imported, every event once."""
        lines = await lines_of(log)
        await self.follower.caught_up(len(lines), PATIENCE)
        assert await imported_by(self.importer) == list(enumerate(lines, 1))


@asynccontextmanager
async def a_pair(folder: Path, reader: Callable[[str], FeedClient], url: str | None = None) -> AsyncIterator[Pair]:
    """A pair whose follower reads with what `reader` makes, at `url` or where the source will be."""
    port = free_port()
    ports = Ports(SimulatedClock(START), seeded(2))
    async with (
        reader(url or f"http://127.0.0.1:{port}") as client,
        a_log(f"sqlite:///{folder}/importer.db", ports, service="evaluation") as importer,
    ):
        follower = Follower(client, Inbox(importer.database, importer.appender, ORG), ORG, ports)
        follower.start()
        try:
            yield Pair(folder, port, importer, follower)
        finally:
            await follower.stop()


def plain(url: str) -> FeedClient:
    return FeedClient(url, "token")
