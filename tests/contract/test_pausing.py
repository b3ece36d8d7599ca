"""Publishing and importing stand still when a person says so, also after a restart, and go on where they stood."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from structlog.testing import capture_logs

from avow.bus import place
from avow.bus.feed_client import FeedClient
from avow.bus.follower import Follower
from avow.bus.inbox import Inbox
from avow.bus.relay import Relay
from avow.contracts.envelope import Envelope
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, Log, a_log
from tests.unit.bus.serving import imported_by, lines_of, say, serving

PATIENCE = 30.0
WHY = "等祁安然回来 until somebody is back"


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log with the places of its relay, on each engine by turns."""
    async with a_log(engine_url) as opened:
        await opened.database.write(place.metadata.create_all)
        yield opened


class Broker:
    """A broker that has everything at once."""

    closed = False

    def __init__(self) -> None:
        self.published: list[int] = []

    async def connect(self) -> "Broker":
        return self

    async def publish(self, envelope: Envelope) -> bool:
        self.published.append(envelope.sequence)
        return True

    async def close(self) -> None:
        return


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def pause(log: Log, part: place.Part) -> None:
    await log.database.write(partial(place.pause, org=ORG, part=part, reason=WHY))


async def resume(log: Log, part: place.Part) -> bool:
    return await log.database.write(partial(place.resume, org=ORG, part=part))


async def paused(log: Log) -> dict[place.Part, str]:
    return await log.database.read(partial(place.paused, org=ORG))


async def test_what_is_paused_is_said_until_it_is_resumed(log: Log) -> None:
    assert await paused(log) == {}
    for part in ("relay", "import"):
        await pause(log, part)
        await pause(log, part)
    assert await paused(log) == {"relay": WHY, "import": WHY}
    assert (await resume(log, "relay"), await resume(log, "relay")) == (True, False)
    assert await paused(log) == {"import": WHY}
    assert (await resume(log, "import"), await resume(log, "import"), await paused(log)) == (True, False, {})


async def test_a_relay_stands_still_and_goes_on_where_it_stood_also_after_a_restart(log: Log) -> None:
    broker = Broker()

    def a_relay() -> Relay:
        made = Relay(broker, log.database, ORG, log.grown, log.ports)
        made.start()
        return made

    relay = a_relay()
    with capture_logs() as lines:
        try:
            await say(log, 1)
            await until(lambda: broker.published == [1, 2])
            await pause(log, "relay")
            await until(lambda: relay.status.state == "paused")
            assert relay.status.reason == WHY
            await say(log, 2)
            await relay.stop()
            relay = a_relay()
            await until(lambda: relay.status.state == "paused")
            await asyncio.sleep(1.5)
            assert broker.published == [1, 2]
            await resume(log, "relay")
            await until(lambda: broker.published == [1, 2, 3])
        finally:
            await relay.stop()
    assert "paused" in str(lines)
    assert WHY not in str(lines)


async def test_an_import_stands_still_and_goes_on_where_it_stood_also_after_a_restart(
    log: Log, new_engine_url: Callable[[], str]
) -> None:
    ports = Ports(SimulatedClock(START), seeded(2))
    async with (
        a_log(new_engine_url(), ports, service="evaluation") as importer,
        serving(log) as url,
        FeedClient(url, "token") as client,
    ):
        await importer.database.write(place.metadata.create_all)
        look = partial(importer.database.read, partial(place.import_paused, org=ORG))

        def a_follower() -> Follower:
            made = Follower(client, Inbox(importer.database, importer.appender, ORG), ORG, ports, None, look)
            made.start()
            return made

        follower = a_follower()
        with capture_logs() as lines:
            try:
                await say(log, 1)
                await follower.caught_up(2, PATIENCE)
                await pause(importer, "import")
                await until(lambda: follower.status.state == "paused")
                assert follower.status.reason == WHY
                await say(log, 2, 3)
                await follower.stop()
                follower = a_follower()
                await until(lambda: follower.status.state == "paused")
                await asyncio.sleep(1.5)
                assert len(await imported_by(importer)) == 2
                await resume(importer, "import")
                await follower.caught_up(4, PATIENCE)
                await until(lambda: follower.status.state == "live")
            finally:
                await follower.stop()
        assert await imported_by(importer) == list(enumerate(await lines_of(log), 1))
        assert "paused" in str(lines)
        assert WHY not in str(lines)
