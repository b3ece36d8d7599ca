"""A client of the pledge service as it is built, on a simulated clock.

async with a_caller(folder) as caller:
    person_id = await caller.post("/people", {"name": "钟若岚"})
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from httpx import ASGITransport, AsyncClient

from avow.kernel.ports import Ports, SimulatedClock
from avow.service.settings import Settings
from avow_pledge.bootstrap import build
from tests.kit.logs import START

TOKEN = "a token of twenty letters"


@dataclass
class Caller:
    """A client that reads its own writes."""

    client: AsyncClient
    clock: SimulatedClock
    position: int = 0
    keys: Iterator[int] = field(default_factory=count)

    async def post(self, path: str, body: dict[str, Any], actor: str | None = None, status: int = 201) -> Any:
        self.clock.set(self.clock.now() + timedelta(minutes=1))
        headers = {"Idempotency-Key": f"key-{next(self.keys):016}"} | ({"Acting-As": actor} if actor else {})
        answer = await self.client.post(f"/demo{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        if status != 201:
            return answer.json()
        self.position = answer.json()["position"]
        return answer.json()["id"]

    async def get(self, path: str, **query: str | int) -> Any:
        answer = await self.client.get(f"/demo{path}", params={"min_position": self.position, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def a_caller(folder: Path) -> AsyncIterator[Caller]:
    """The service over a database in a folder, until the block ends."""
    clock = SimulatedClock(START)
    hosted = build(Settings(data=folder, orgs=("demo",)), Ports(clock), TOKEN)
    await hosted.service.start()
    transport = ASGITransport(hosted.app)
    try:
        async with AsyncClient(
            transport=transport, base_url="http://pledge", headers={"Authorization": f"Bearer {TOKEN}"}
        ) as client:
            yield Caller(client, clock)
    finally:
        await hosted.service.stop()
