"""Sources that say so much a second: processes of their own, which say when each thing they said was answered."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

WARM = 1
"""Seconds in which what is said is not counted."""
LONGEST = 2**24
"""Bytes a line of a source may have."""


async def say_at(rate: int, seconds: float, say: Callable[[int], Awaitable[None]]) -> None:
    """Say 1, 2, … at this rate, none waiting for the one before."""
    # A second in which the queue is made, and its consumer comes.
    begin = time.perf_counter() + 1.0
    async with asyncio.TaskGroup() as tasks:
        for n in range(int(rate * (seconds + WARM))):
            await asyncio.sleep(max(0.0, begin + n / rate - time.perf_counter()))
            tasks.create_task(say(n + 1))  # type: ignore[arg-type]


class Source:
    """A source that runs: its port, and what it has said once it was told to go."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process

    async def go(self) -> Mapping[int, float]:
        """Have it say everything; when each number was answered, by the clock all processes of a machine share."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"go\n")
        return {int(n): at for n, at in json.loads(await self._process.stdout.readline()).items()}


@asynccontextmanager
async def a_source(module: str, *arguments: object) -> AsyncIterator[Source]:
    """Run `python -m module arguments` until the block ends."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=LONGEST)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Source(process, int(await process.stdout.readline()))
        process.stdin.close()
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
