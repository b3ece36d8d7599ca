"""A server to send commands to: `python -m benchmarks.serving NAME URL`; it prints its port and serves until its end.

`avow` is the pledge service as it runs in production; `bare` the least that could be called a service: FastAPI, one
strict pydantic model, one INSERT over an asyncpg pool, nothing checked and nothing kept together.
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, SecretStr

from avow.kernel.ports import Ports
from avow.service.hosting import collect_seldom, installed
from avow.service.settings import Settings
from benchmarks.workload import ORG

TOKEN = "the-token-of-the-benchmark"


class Unit(BaseModel):
    """What a command to register a unit carries."""

    model_config = ConfigDict(strict=True, extra="forbid")

    campaign_id: str
    name: str
    kind: str
    category: str | None = None
    parent_id: str | None = None


@asynccontextmanager
async def _avow(url: str) -> AsyncIterator[FastAPI]:
    settings = Settings(pledge_database=url, orgs=(ORG,), operator_token=SecretStr(TOKEN))
    hosted = installed()["pledge"].build(settings, Ports(), TOKEN)
    await hosted.service.start()
    try:
        yield hosted.app
    finally:
        await hosted.service.stop()


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[FastAPI]:
    pool = await asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=8, max_size=8)
    await pool.execute("CREATE TABLE unit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data text)")
    app = FastAPI(openapi_url=None)

    @app.post("/{org}/units", status_code=201)
    async def register_unit(org: str, body: Unit) -> dict[str, int]:
        row = await pool.fetchval("INSERT INTO unit (data) VALUES ($1) RETURNING id", body.model_dump_json())
        return {"id": row}

    try:
        yield app
    finally:
        await pool.close()


async def main(name: str, url: str) -> None:
    """Serve."""
    async with {"avow": _avow, "bare": _bare}[name](url) as app:
        listening = socket.create_server(("127.0.0.1", 0))
        collect_seldom()
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        await uvicorn.Server(config).serve([listening])


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
