"""Work in the background: what goes on by itself in a task of its own, from `start` to `stop`."""

import asyncio
from abc import ABC, abstractmethod

from avow.bus.gathering import ended


class Background(ABC):
    """Does what `_run` says, which comes to no end of its own."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the task, after what it may not leave half done, so that what it works with may be closed."""
        if self._task is not None:
            await ended(self._task)

    @property
    def alive(self) -> bool:
        """Whether its task runs."""
        return self._task is not None and not self._task.done()

    @abstractmethod
    async def _run(self) -> None: ...
