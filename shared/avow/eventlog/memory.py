"""What a process remembers of a log it writes: its end, and the versions of the streams lately written.

Promises: what is remembered is used only where the end of the log is found to be as remembered, so another process's
writes can make it useless and never wrong; it is bounded (tests/property, tests/unit/eventlog/test_memory.py).
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from avow.eventlog.batch import Head, Request

STREAMS = 50_000
"""How many streams' versions are remembered of one log; those written longest ago are forgotten first."""


@dataclass
class Remembered:
    """The end of one log as this process left it, and the versions its streams had then (0: no such stream)."""

    head: Head
    versions: dict[str, int] = field(default_factory=dict)

    def learn(self, versions: Mapping[str, int]) -> None:
        """Remember these too, as the latest."""
        for stream, version in versions.items():
            self.versions.pop(stream, None)
            self.versions[stream] = version

    def forget(self, but: Container[str] = ()) -> None:
        """Forget what is too much, but not these: the log does not know yet what is remembered of them."""
        for stream in list(islice(self.versions, max(0, len(self.versions) - STREAMS))):
            if stream not in but:
                del self.versions[stream]

    def unknown(self, requests: Sequence[Request]) -> set[str]:
        """The streams the requests write or expect something of, and whose versions are not remembered."""
        return {stream for request in requests for stream in request.streams if stream not in self.versions}
