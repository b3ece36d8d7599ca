"""Two workers of each service side by side, as processes: whichever is killed, nothing is lost and nothing doubled."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.kit.deployed import avow
from tests.kit.replicas import Replica, replicas

AT_A_TIME = 8
FOR_EACH = 60
"""How many commands go in around each of the kills."""
PAUSE = 0.2
LOOKS = 300


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if await asyncio.to_thread(reached):
            return
        await asyncio.sleep(PAUSE)
    raise TimeoutError


async def register(web: Replica, numbers: range) -> None:
    """Have people registered, a few at a time, each with a key of its own."""
    gate = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(base_url=f"{web.url}/main/", headers=web.headers, timeout=60) as client:

        async def one(number: int) -> None:
            async with gate:
                key = {"Idempotency-Key": f"somebody-new-{number:06}"}
                answer = await client.post("people", json={"name": f"岑第{number}"}, headers=key)
                assert answer.status_code == 201, answer.text

        await asyncio.gather(*(one(number) for number in numbers))


async def people(web: Replica) -> list[str]:
    """Everybody a service knows, page by page."""
    found: list[str] = []
    after: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=f"{web.url}/main/", headers=web.headers, timeout=60) as client:
        for _ in range(100):
            page = (await client.get("people", params=after)).raise_for_status().json()
            found += [entry["person_id"] for entry in page["items"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}
    raise AssertionError("too many pages")


async def test_whichever_worker_is_killed_the_other_goes_on_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    with replicas(tmp_path) as running:
        expected = 0
        for last in (False, True):
            await until(lambda: running.publishing("pledge") is not None)
            flow = asyncio.create_task(register(running.webs["pledge"], range(expected, expected + FOR_EACH)))
            expected += FOR_EACH
            await asyncio.sleep(PAUSE)
            publishing = running.publishing("pledge")
            assert publishing is not None
            running.kill(publishing)
            # Of the two that are there from the beginning one consumes: it is killed in one of the rounds.
            running.kill(running.workers["evaluation"][0])
            await flow
            await until(lambda: running.publishing("pledge") is not None)
            if not last:
                running.start("worker")
        sequence = running.webs["pledge"].status()["sequence"]
        assert sequence == 1 + expected
        await until(lambda: imported(running.workers["evaluation"]) == {sequence})
        await until(lambda: settled(running.webs["evaluation"]))
        everybody = await people(running.webs["evaluation"])
        assert len(everybody) == len(set(everybody)) == expected
        assert sorted(everybody) == sorted(await people(running.webs["pledge"]))
        for service in ("pledge", "evaluation"):
            assert running.rabbit.depth("amqp://x/avow", f"{service}.inbox.main") == 0
            assert running.rabbit.depth("amqp://x/avow", f"{service}.dead") == 0
        assert running.stop() == {0}
        verified = avow(tmp_path, "verify", "--json", **running.databases)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert json.loads(verified.stdout)["ok"]


def imported(workers: list[Replica]) -> set[int]:
    return {worker.status()["follows"]["imported_sequence"] for worker in workers}


def settled(web: Replica) -> bool:
    return all(view["behind"] == 0 for view in web.status()["views"])
