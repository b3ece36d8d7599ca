"""A signal: wakes everybody who waits for a log or a projection to move on."""

import asyncio
from contextlib import suppress


class Signal:
    """Raised any number of times; a waiter is woken by the next raise, or by its own patience."""

    def __init__(self) -> None:
        self.raised = 0
        """How often it was raised: note it before looking, then wait for what came `since`."""
        self._event = asyncio.Event()

    def raise_(self) -> None:
        """Wake everybody who is waiting now."""
        self.raised += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, at_most: float, since: int | None = None) -> None:
        """Return at the next raise, or at once if it was raised after `since`, or after `at_most` seconds."""
        if since is not None and self.raised != since:
            return
        # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the raise.
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()
