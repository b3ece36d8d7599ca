"""Nothing of a run stays behind, however it ends."""

import asyncio
import os
import signal
from pathlib import Path

from tests.chaos.pair import Nursery, a_nursery
from tests.unit.bus.serving import free_port


async def a_service(nursery: Nursery, folder: Path) -> int:
    """Start one; its process id."""
    settings = {
        "AVOW_SERVICES": "pledge",
        "AVOW_DATA": str(folder),
        "AVOW_PLEDGE_PORT": str(free_port()),
        "AVOW_EVALUATION_URL": f"http://127.0.0.1:{free_port()}",
    }
    answer = await nursery.order("start", "pledge", settings=settings, log=str(folder / "log"))
    await asyncio.sleep(0.2)
    assert (await nursery.order("alive", "pledge"))["alive"], (folder / "log").read_text()
    pid: int = answer["pid"]
    return pid


def runs(pid: int) -> bool:
    """Whether a process is there, other than as an entry nobody has asked about."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


async def test_a_service_ends_with_the_nursery(tmp_path: Path) -> None:
    async with a_nursery(tmp_path) as nursery:
        pid = await a_service(nursery, tmp_path)
        assert runs(pid)
    assert not runs(pid)


async def test_a_nursery_that_is_killed_takes_its_services_along(tmp_path: Path) -> None:
    async with a_nursery(tmp_path) as nursery:
        pid = await a_service(nursery, tmp_path)
        os.kill(nursery.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while runs(pid):  # noqa: ASYNC110 - another process's end wakes nobody here
                await asyncio.sleep(0.02)
