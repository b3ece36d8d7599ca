"""Live: how a follower hears of events as they come, over the feed's stream or from a queue.

Both end in the same inbox. What is heard may come twice, in another order or not at all: the sequence gives the order,
and what was missed is fetched from the feed.
"""

from collections.abc import Callable
from typing import Protocol

from avow.bus.taken import Taken


class Live(Protocol):
    """The lines of one organisation's events as they come."""

    async def take(self, at_most: float) -> list[bytes] | None:
        """What has come, at least one line if there is any within `at_most` seconds; None where no more will come."""

    async def settle(self, taken: Taken) -> None:
        """Say what became of the lines taken last; what waits for earlier ones is offered again."""

    async def close(self) -> None:
        """Listen no more."""


Listen = Callable[[int], Live]
"""Listens from behind a sequence on."""
