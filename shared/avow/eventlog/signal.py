"""A signal: wakes everybody who waits for a log or a projection to move on."""

import asyncio
from contextlib import suppress


class Signal:
    """Raised any number of times; a waiter is woken by the next raise, or by its own patience."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def raise_(self) -> None:
        """Wake everybody who is waiting now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, at_most: float) -> None:
        """Return at the next raise, or after `at_most` seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), at_most)
