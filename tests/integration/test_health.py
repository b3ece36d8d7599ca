"""Health goes red when a relay, an import, a projection or a reaction makes no progress, and names it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from avow.bus import place
from avow.bus.feed_client import FeedClient
from avow.bus.relay import BrokerUnavailable, Publishing
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports
from avow.projections.projection import Projection
from avow.service import progress
from avow.service import service as services
from avow.service.application import build_application
from avow.service.service import Blueprint, Chore, Service
from avow.web.catalogue import SHARED, Catalogue
from tests.kit.logs import TYPES, a_unit, proposed
from tests.kit.sample_projection import Sample
from tests.unit.bus.serving import free_port

ORG = "main"
PATIENCE = 20.0
TOKEN = "a-token-of-thirty-characters-ok"


class NoBroker:
    """A broker that nobody can connect to."""

    async def connect(self) -> Publishing:
        raise BrokerUnavailable("ConnectionRefusedError")


@dataclass
class Running:
    """A service and its health."""

    service: Service
    http: httpx.AsyncClient

    async def says(self, path: str, status: int, kind: str | None = None) -> dict[str, Any]:
        """What health says once it answers with this, and names a part of this kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.http.get(path)
                said: dict[str, Any] = answer.json()
                kinds = {part["kind"] for part in said.get("standing_still", [])}
                if answer.status_code == status and kind in (None, *kinds):
                    return said
                await asyncio.sleep(0.05)

    async def rounds(self) -> dict[tuple[str, str], float]:
        """How many rounds each chore has gone, by what became of them."""
        page = await self.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        families = {family.name: family for family in text_string_to_metric_families(page.text)}
        return {(at.labels["chore"], at.labels["outcome"]): at.value for at in families["avow_chores"].samples}


@asynccontextmanager
async def running(
    url: str, projections: tuple[Projection, ...] = (Sample(),), chores: tuple[Chore, ...] = ()
) -> AsyncIterator[Running]:
    blueprint = Blueprint("pledge", TYPES, projections, (), chores)
    service = Service(blueprint, open_database(url), Ports(), (ORG,))
    app = build_application(service, (), Catalogue.load(SHARED), "pledge", TOKEN)
    await service.start()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            yield Running(service, http)
    finally:
        await service.stop()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.05)
    monkeypatch.setattr(progress, "STILL", 0.5)
    monkeypatch.setattr(services, "CHORE_EVERY", 0.05)


async def test_a_service_that_does_its_work_is_live_and_ready(engine_url: str) -> None:
    async with running(engine_url) as pledge:
        assert await pledge.says("/health/live", 200) == {"status": "ok", "ended": []}
        ready = await pledge.says("/health/ready", 200)
        assert ready == {"status": "ok", "standing_still": [], "paused": []}
        for n in range(20):
            await pledge.service.appender.append(ORG, [proposed(a_unit(n))])
        assert (await pledge.http.get("/health/ready")).status_code == 200


async def test_a_relay_without_its_broker_goes_red_and_only_it(engine_url: str) -> None:
    async with running(engine_url) as pledge:
        pledge.service.publish(NoBroker())
        said = await pledge.says("/health/ready", 503, "relay")
        (part,) = said["standing_still"]
        assert (part["org"], part["state"]) == (ORG, "unavailable")
        assert (await pledge.http.get("/health/live")).status_code == 200


async def test_an_import_whose_source_does_not_answer_goes_red(engine_url: str) -> None:
    async with running(engine_url) as pledge, FeedClient(f"http://127.0.0.1:{free_port()}", "token") as client:
        pledge.service.follow(client)
        said = await pledge.says("/health/ready", 503, "import")
        assert said["standing_still"][0]["state"] == "unavailable"
        await pledge.service.stop_bus()
        await pledge.says("/health/ready", 200)


async def test_a_reaction_that_hangs_or_fails_goes_red_and_is_named(engine_url: str) -> None:
    async def hanging(_: Service) -> None:
        await asyncio.Event().wait()

    async def failing(_: Service) -> None:
        raise KeyError("祁安然")

    async def nothing() -> None:
        return

    async def well(service: Service) -> None:
        await service.reactions.carry_out("nothing", ORG, uuid4(), nothing)

    async with running(engine_url, chores=(hanging, failing, well)) as pledge:
        pledge.service.work()
        await pledge.says("/health/ready", 503, "reaction")
        async with asyncio.timeout(PATIENCE):
            while True:
                said = (await pledge.http.get("/health/ready")).json()["standing_still"]
                if len(said) == 2:
                    break
                await asyncio.sleep(0.05)
        assert {part["name"] for part in said} == {"hanging", "failing"}
        assert "祁安然" not in str(said)


async def test_a_chore_that_fails_is_counted_and_logged_each_time(engine_url: str) -> None:
    async def failing(_: Service) -> None:
        raise KeyError("祁安然")

    async def well(_: Service) -> None:
        return

    async with running(engine_url, chores=(failing, well)) as pledge:
        with capture_logs() as logged:
            pledge.service.work()
            async with asyncio.timeout(PATIENCE):
                while (counted := await pledge.rounds()).get(("failing", "failed"), 0) < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        assert counted["failing", "done"] == counted["well", "failed"] == 0 < counted["well", "done"]
        told = [(line["chore"], line["log_level"]) for line in logged if line["event"] == "chore.failed"]
        assert len(told) >= 3
        assert set(told) == {("failing", "error")}


async def test_a_chore_that_failed_is_failing_until_it_has_done_a_round(engine_url: str) -> None:
    states: list[str] = []

    async def failing_twice(service: Service) -> None:
        states.append(service.chores["failing_twice"].state)
        if len(states) < 3:
            raise KeyError

    async with running(engine_url, chores=(failing_twice,)) as pledge:
        pledge.service.work()
        async with asyncio.timeout(PATIENCE):
            while len(states) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert states[:4] == ["running", "failing", "failing", "running"]


async def test_a_task_that_ended_makes_the_process_unfit(engine_url: str) -> None:
    async with running(engine_url) as pledge:
        await pledge.service.runner.stop()
        assert (await pledge.says("/health/live", 503))["ended"] == ["projections"]


async def test_a_projection_that_stopped_goes_red(engine_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(engine_url) as pledge:
        await pledge.says("/health/ready", 200)

        def break_(*_: object) -> None:
            raise KeyError("祁安然")

        monkeypatch.setattr("avow.projections.projector.carry_out", break_)
        await pledge.service.appender.append(ORG, [proposed(a_unit(1))])
        said = await pledge.says("/health/ready", 503, "projection")
        assert said["standing_still"][0]["state"] == "stopped"
        assert "祁安然" not in str(said)
        monkeypatch.undo()
        await pledge.says("/health/ready", 200)


async def test_a_database_that_is_away_goes_red(engine_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(engine_url) as pledge:
        await pledge.says("/health/ready", 200)

        async def away(_: object) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(pledge.service.database, "read", away)
        said = await pledge.says("/health/ready", 503, "database")
        assert said["standing_still"][0] == {"kind": "database", "state": "log.unavailable"}
        monkeypatch.undo()
        await pledge.says("/health/ready", 200)


async def test_a_paused_part_is_said_and_is_not_red(engine_url: str) -> None:
    async with running(engine_url) as pledge:
        await pledge.service.database.write(lambda connection: place.pause(connection, ORG, "relay", "祁安然 wants it"))
        pledge.service.publish(NoBroker())
        await pledge.service.appender.append(ORG, [proposed(a_unit(1))])
        async with asyncio.timeout(PATIENCE):
            while not (said := (await pledge.http.get("/health/ready")).json())["paused"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        said = await pledge.says("/health/ready", 200)
        assert said["paused"] == [{"kind": "relay", "name": "relay", "org": ORG}]
        assert "祁安然" not in str(said)
