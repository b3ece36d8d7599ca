"""Commands over HTTP: so many connections, each with one command under way, against our service and a bare endpoint."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

import httpx
import uvloop

from benchmarks.measure import Report
from benchmarks.serving import TOKEN
from benchmarks.workload import ORG

CONNECTIONS = 64


@contextmanager
def served(name: str, url: str) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.serving", name, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def _campaign(port: int) -> str:
    """An approved campaign to register units in."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/{ORG}", headers=token) as client:

        def post(path: str, body: Mapping[str, object]) -> str:
            answer = client.post(path, json=body, headers={"Idempotency-Key": uuid4().hex})
            answer.raise_for_status()
            identity: str = answer.json()["id"]
            return identity

        campaign_id = post("/campaigns", {"template": "cxzy-2010"})
        post(f"/campaigns/{campaign_id}/approve", {})
        return campaign_id


async def _commands(port: int, campaign_id: str, seconds: float) -> float:
    """Commands a second that are answered with 201."""
    body = json.dumps(
        {"campaign_id": campaign_id, "name": "计算机系教工支部", "kind": "committee"}, ensure_ascii=False
    ).encode()
    head = (
        f"POST /{ORG}/units HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: "
    ).encode()
    done = 0
    begin = time.perf_counter()
    until = begin + seconds

    async def connection() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            writer.write(head + uuid4().hex.encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 201"):
                raise RuntimeError(answer.decode())
            length = answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            done += 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return done / (time.perf_counter() - begin)


def measure_commands(report: Report, new_url: Callable[[], str], seconds: float) -> None:
    """Commands a second at so many connections."""
    with served("avow", new_url()) as ours, served("bare", new_url()) as bare:
        campaign_id = _campaign(ours)
        report.compare(
            f"commands over HTTP, {CONNECTIONS} connections, postgresql",
            "commands/s",
            lambda: uvloop.run(_commands(ours, campaign_id, seconds)),
            {"bare FastAPI + asyncpg": lambda: uvloop.run(_commands(bare, campaign_id, seconds))},
        )
