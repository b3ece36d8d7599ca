"""Gathering: reads a live stream on while what came before is being imported, so that a burst becomes few commits.

Promises: nothing is lost or reordered; no more than a chunk beyond `most` lines is held; what ended the stream, an
error or not, is said after the last line (tests/unit/bus/test_gathering.py).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from avow.bus.taken import Taken


class Gathering:
    """Reads `arriving` in a task of its own until `close`."""

    def __init__(self, arriving: AsyncGenerator[list[bytes], None], most: int) -> None:
        self._arriving = arriving
        self._most = most
        self._lines: list[bytes] = []
        self._came, self._taken = asyncio.Event(), asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._came.set())

    async def take(self, at_most: float) -> list[bytes] | None:
        """What has come, at least one line if there is any within `at_most` seconds; None once the stream has ended.

        Raises what the stream raised.
        """
        with suppress(TimeoutError):
            # Not wait_for, which on Python 3.11 loses a cancellation that comes with the event.
            async with asyncio.timeout(at_most):
                await self._came.wait()
        lines, self._lines = self._lines, []
        self._taken.set()
        if not self._reading.done():
            self._came.clear()
        elif not lines:
            self._reading.result()
            return None
        return lines

    async def settle(self, taken: Taken) -> None:
        """The feed waits for no answer: whoever missed something asks for it again."""

    async def close(self) -> None:
        """End the stream."""
        await ended(self._reading)
        await self._arriving.aclose()

    async def _read(self) -> None:
        async with aclosing(self._arriving):
            async for lines in self._arriving:
                self._lines += lines
                self._came.set()
                if len(self._lines) >= self._most:
                    self._taken.clear()
                    await self._taken.wait()


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, whatever that is."""
    while not task.done():
        # Asked again where it goes on: a library that is just failing may take the cancellation for its own.
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    if not task.cancelled():
        task.exception()
