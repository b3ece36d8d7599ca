"""What is heard over a queue, as a subscription sees it; `avow.subscriber.queue` is the one there is.

Nothing rests on it: what is heard late, twice, in another order or never is fetched from the feed.
"""

from typing import Protocol

from avow.contracts.envelope import Envelope
from avow.subscriber.place import LogKey


class Line(Protocol):
    """The events of one log as they are heard, their leaves checked."""

    @property
    def connected(self) -> bool:
        """Whether anything can be heard at present."""

    async def take(self, at_most: float) -> list[Envelope]:
        """What has come, at least one event if there is any within `at_most` seconds."""


class Hearing(Protocol):
    """A queue that is listened to between `start` and `stop`."""

    def line(self, log: LogKey) -> Line:
        """The line of a log; what comes before it is asked for is not kept."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...
