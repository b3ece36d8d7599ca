"""What a service answers while its database fails: a problem with a stable code that says when to come again (I7).

Covers the answers of the fault table's rows "database restart", "commit outcome unknown" and "disk full": every refusal
leaves the log as it was or with exactly one event, and the same Idempotency-Key then brings the result.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from avow.eventlog.append import read_head
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports, SimulatedClock
from avow.service.service import Service
from avow.service.settings import Settings
from avow_pledge.bootstrap import build
from tests.kit.logs import START
from tests.kit.proxy import Proxy

TOKEN = "a token of twenty letters"
MARK = "此处断开"
CAMPAIGN = {"template": "cxzy-2010"}


@dataclass
class Desk:
    """A client of a pledge service."""

    service: Service
    http: httpx.AsyncClient
    numbers: Any

    async def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key or f"key-{next(self.numbers):016}"}
        return await self.http.post(path, json=body, headers=headers)

    async def refused(self, path: str, body: Mapping[str, object], key: str) -> tuple[int, str]:
        """The status and the code of a refusal that says everything a refusal of this kind has to."""
        answer = await self.post(path, body, key)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert int(answer.headers.get("Retry-After", 0)) > 0, answer.text
        problem = answer.json()
        assert all(problem[said] for said in ("detail_zh", "detail_en", "todo_zh", "todo_en"))
        return answer.status_code, problem["code"]


@asynccontextmanager
async def a_desk(settings: Settings) -> AsyncIterator[Desk]:
    hosted = build(settings, Ports(SimulatedClock(START)), TOKEN)
    await hosted.service.start()
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(hosted.app),
        base_url="http://pledge/demo/",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    try:
        async with client:
            yield Desk(hosted.service, client, count())
    finally:
        await hosted.service.stop()


@pytest.fixture
async def desk(tmp_path: Path, wire: Proxy) -> AsyncIterator[Desk]:
    """A service whose database is at the other end of the wire."""
    async with a_desk(Settings(data=tmp_path, orgs=("demo",), pledge_database=wire.url)) as opened:
        yield opened


async def position(url: str) -> int:
    """Where the log ends, as seen from beside the wire."""
    database = open_database(url)
    head = await database.read(lambda connection: read_head(connection, "demo"))
    await database.close()
    assert head is not None
    return head.position


@pytest.mark.parametrize("heard", [True, False], ids=["took effect", "took no effect"])
async def test_an_unknown_outcome_is_called_so_and_the_same_key_gives_one_event(
    desk: Desk, wire: Proxy, postgres_url: str, heard: bool
) -> None:
    campaign = (await desk.post("campaigns", CAMPAIGN)).json()["id"]
    await desk.post(f"campaigns/{campaign}/approve", {})
    unit = {"campaign_id": campaign, "name": "示例职业技术学院", "kind": "committee"}
    assert (await desk.post("units", unit)).status_code == 201
    before = await position(postgres_url)
    marked = {**unit, "name": MARK}
    wire.cut(MARK.encode(), heard, then="reset")
    assert await desk.refused("units", marked, "the-key-of-the-marked-unit") == (503, "log.outcome_unknown")
    assert await position(postgres_url) == before + heard
    wire.mode = "ok"
    again = await desk.post("units", marked, "the-key-of-the-marked-unit")
    assert (again.status_code, again.json()["position"]) == (201, before + 1)
    assert await position(postgres_url) == before + 1


async def test_while_the_database_is_away_nothing_is_written_and_then_everything_works(
    desk: Desk, wire: Proxy, postgres_url: str
) -> None:
    before = await position(postgres_url)
    wire.mode = "reset"
    wire.reset()
    # Until a connection is known to be cut, what is sent on it is in doubt.
    await asyncio.sleep(0.2)
    assert await desk.refused("campaigns", CAMPAIGN, "the-first-campaign") == (503, "log.unavailable")
    assert (await desk.http.get("status")).json()["code"] == "log.unavailable"
    assert await position(postgres_url) == before
    wire.mode = "ok"
    assert (await desk.post("campaigns", CAMPAIGN, "the-first-campaign")).status_code == 201
    assert await position(postgres_url) == before + 1


async def test_on_a_full_disk_nothing_is_written_and_reads_go_on(tmp_path: Path) -> None:
    async with a_desk(Settings(data=tmp_path, orgs=("demo",))) as desk:

        async def limit(pages: int) -> None:
            pragma = f"PRAGMA max_page_count={pages}"
            await desk.service.database.write(lambda connection: connection.exec_driver_sql(pragma))

        await limit(1)
        answer, key = await desk.post("campaigns", CAMPAIGN), ""
        for n in range(300):
            if answer.status_code != 201:
                break
            key = f"campaign-number-{n}"
            answer = await desk.post("campaigns", CAMPAIGN, key)
        before = (await desk.http.get("status")).json()["position"]
        assert await desk.refused("campaigns", CAMPAIGN, key) == (507, "log.full")
        assert (await desk.http.get("status")).json()["position"] == before
        await limit(2**31 - 2)
        again = await desk.post("campaigns", CAMPAIGN, key)
        assert (again.status_code, again.json()["position"]) == (201, before + 1)
