"""The pair under test: two services as processes of the nursery, their databases, and the wires to a private broker.

Promises: a service comes back at the address it had; when the block is left nothing of all this is left.
"""

import asyncio
import json
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeVar

from tests.chaos.callers import ORG
from tests.chaos.ledger import SERVICES, Service
from tests.kit.postgres import PrivatePostgres
from tests.kit.proxy import Proxy
from tests.kit.rabbit import PrivateRabbit
from tests.kit.rabbit_cluster import PrivateCluster

T = TypeVar("T")
Engine = Literal["sqlite", "postgresql"]
ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 60.0
_PORTS = range(12_000, 30_000)
"""Below those the system gives to whoever connects somewhere, so that they stay free while a service is dead."""


class Keeper:
    """Starts, kills and revives servers in one thread, since a server dies with the thread that started it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keeper")

    async def do(self, work: Callable[[], T]) -> T:
        """Do this there; also when cancelled it lasts until it is done."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    def close(self) -> None:
        """End the thread, and with it whatever it started."""
        self._thread.shutdown()


class Nursery:
    """The nursery as seen from here."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process
        self._lock = asyncio.Lock()

    async def order(self, do: str, name: Service, **said: Any) -> dict[str, Any]:
        """Have it do something; its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._lock:
            self._process.stdin.write((json.dumps({"do": do, "name": name, **said}) + "\n").encode())
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass
class Pair:
    """Both services, and what lies between and beneath."""

    folder: Path
    token: str
    urls: dict[Service, str]
    databases: dict[Service, str]
    nursery: Nursery
    keeper: Keeper
    rabbit: PrivateRabbit | PrivateCluster
    broker: str
    wires: dict[Service, Proxy]
    postgres: PrivatePostgres | None
    sabotage: str | None = None

    async def start(self, service: Service) -> None:
        """Fork a service; it answers soon."""
        settings = {
            "AVOW_SERVICES": service,
            "AVOW_ORGS": ORG,
            "AVOW_OPERATOR_TOKEN": self.token,
            "AVOW_BUS": self.wires[service].url,
        }
        for each in SERVICES:
            settings[f"AVOW_{each.upper()}_URL"] = self.urls[each]
            settings[f"AVOW_{each.upper()}_PORT"] = self.urls[each].rpartition(":")[2]
            settings[f"AVOW_{each.upper()}_DATABASE"] = self.databases[each]
        log = str(self.folder / f"{service}.log")
        await self.nursery.order("start", service, settings=settings, log=log, sabotage=self.sabotage)

    async def answering(self, service: Service, answers: Callable[[Service], Awaitable[bool]]) -> None:
        """Wait until a service answers; one that could not start, such as without its database, is started again."""
        async with asyncio.timeout(STARTS_WITHIN):
            while not await answers(service):
                if not (await self.nursery.order("alive", service))["alive"]:
                    await self.start(service)
                await asyncio.sleep(0.02)

    async def kill(self, service: Service) -> None:
        """Kill a service with SIGKILL; returns when it is gone."""
        await self.nursery.order("die", service, within=0)

    async def die(self, service: Service, instant: str, times: int, within: float) -> bool:
        """Have a service die at an instant; one that does not come to it in time is killed. Whether it came to it."""
        await self.nursery.order("doom", service, instant=instant, times=times)
        deadline = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < deadline:
            if not (await self.nursery.order("alive", service))["alive"]:
                return True
            await asyncio.sleep(0.005)
        await self.kill(service)
        return False

    async def pause(self, service: Service, seconds: float) -> None:
        """Stop a service with SIGSTOP for so long."""
        await self.nursery.order("signal", service, signal=signal.SIGSTOP)
        await asyncio.sleep(seconds)
        await self.nursery.order("signal", service, signal=signal.SIGCONT)


@asynccontextmanager
async def a_pair(
    engine: Engine, folder: Path, rabbit: PrivateRabbit | PrivateCluster, keeper: Keeper, sabotage: str | None = None
) -> AsyncIterator[Pair]:
    """Both services, not yet started, on fresh databases and a fresh virtual host of this broker."""
    async with AsyncExitStack() as stack:
        postgres = None
        if engine == "postgresql":
            postgres = PrivatePostgres()
            await keeper.do(postgres.start)
            stack.push_async_callback(keeper.do, postgres.stop)
        databases: dict[Service, str] = {
            service: f"sqlite:///{folder}/{service}.db" if postgres is None else postgres.create_database()
            for service in SERVICES
        }
        brokers = [rabbit.create_vhost()] if isinstance(rabbit, PrivateRabbit) else rabbit.urls
        wires: dict[Service, Proxy] = {
            service: await stack.enter_async_context(Proxy(*brokers)) for service in SERVICES
        }
        nursery = await stack.enter_async_context(a_nursery(folder))
        urls: dict[Service, str] = {
            service: f"http://127.0.0.1:{port}" for service, port in zip(SERVICES, _free_ports(), strict=True)
        }
        token = secrets.token_hex(20)
        yield Pair(folder, token, urls, databases, nursery, keeper, rabbit, brokers[0], wires, postgres, sabotage)


@asynccontextmanager
async def a_nursery(folder: Path) -> AsyncIterator[Nursery]:
    """A nursery that has imported everything; at the end it ends its children, then itself."""
    with (folder / "nursery.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.nursery",
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            async with asyncio.timeout(STARTS_WITHIN):
                said = await process.stdout.readline()
            assert said, (folder / "nursery.log").read_text()
            yield Nursery(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()


def _free_ports() -> list[int]:
    """A port for each service that nobody has taken."""
    found: list[int] = []
    lots = Random()
    while len(found) < len(SERVICES):
        port = lots.choice(_PORTS)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found
