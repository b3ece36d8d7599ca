"""A feed that really answers: a log behind a server of its own on a loopback port, and a cable that can be cut.

async with serving(log) as url, FeedClient(url, "token") as client:
    ...
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from fastapi import FastAPI

from avow.bus.feed import FeedSource, feed_router
from avow.contracts.envelope import encode
from avow.eventlog.database import Database
from avow.eventlog.signal import Signal
from avow.web.catalogue import SHARED, Catalogue
from avow.web.problem import install_problem_handlers
from tests.kit.logs import Log, a_unit, proposed

CATALOGUE = Catalogue.load(SHARED)


def feed_app(database: Database, grown: Signal, closing: asyncio.Event) -> FastAPI:
    """An application that has nothing but the feed."""
    app = FastAPI()
    app.include_router(feed_router(FeedSource(database, grown, closing)))
    install_problem_handlers(app, CATALOGUE)
    return app


async def say(log: Log, *numbers: int) -> None:
    """Append one public event for each number."""
    await log.append(*(proposed(a_unit(n)) for n in numbers))


async def talk(log: Log, numbers: range) -> None:
    """Append one event after the other, letting others have their turn in between."""
    for n in numbers:
        await say(log, n)
        await asyncio.sleep(0)


async def lines_of(log: Log) -> list[bytes]:
    """The log's feed, line by line."""
    return [encode(envelope) for envelope in await log.envelopes()]


async def imported_by(log: Log) -> list[tuple[int, bytes]]:
    """What a log imported: version and line, in the order of its positions."""
    return [(row.version, row.data) for row in await log.rows() if row.stream.startswith("import/")]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the signals are the test runner's


@asynccontextmanager
async def serving(log: Log, port: int = 0) -> AsyncIterator[str]:
    """The feed of `log`, answering at the address given until the block ends."""
    closing = asyncio.Event()
    app = feed_app(log.database, log.grown, closing)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
        task = asyncio.create_task(server.serve([listening]))
        try:
            while not server.started:
                assert not task.done()
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            closing.set()
            log.grown.raise_()
            server.should_exit = True
            await task


class Cable:
    """Carries bytes to and from a port; a connection breaks when as many came back as `carries` says for it."""

    def __init__(self, port: int) -> None:
        self.carries: Callable[[], int] = lambda: 2**62
        self.connections = 0
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break every connection there is."""
        for writer in self._writers:
            writer.transport.abort()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        self.connections += 1
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, outer}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, outer, 2**62))
                both.create_task(self._carry(inner, writer, self.carries()))
        finally:
            self._writers -= {writer, outer}

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: int) -> None:
        with suppress(OSError):
            while left and (chunk := await source.read(min(left, 4096))):
                sink.write(chunk)
                await sink.drain()
                left -= len(chunk)
        sink.transport.abort()


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[tuple[str, Cable]]:
    """A cable to the server at `url`, and the address of its near end."""
    cable = Cable(int(url.rpartition(":")[2]))
    server = await asyncio.start_server(cable.connect, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", cable
    finally:
        server.close()
        cable.cut()
        await server.wait_closed()
