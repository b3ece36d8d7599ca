"""What a process remembers of the logs it writes: each one's end, and the versions of the streams lately written.

Promises: what is remembered is used only where the end of the log is found to be as remembered, so another process's
writes can make it useless and never wrong; it is bounded (tests/property, tests/unit/eventlog/test_memory.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from avow.eventlog.batch import Head

STREAMS = 50_000
"""How many streams' versions are remembered of one log; those written longest ago are forgotten first."""


@dataclass
class Remembered:
    """The end of one log as this process left it, and the versions its streams had then (0: no such stream)."""

    head: Head
    versions: dict[str, int] = field(default_factory=dict)
    undisturbed: bool = False
    """Whether the last look found that nobody else had written meanwhile."""


class Memory:
    """What is remembered of every organisation's log."""

    def __init__(self) -> None:
        self._logs: dict[str, Remembered] = {}

    def take(self, org: str) -> Remembered | None:
        """What is remembered of a log, forgotten until it is known what became of the write it is taken for."""
        return self._logs.pop(org, None)

    def keep(self, org: str, remembered: Remembered, head: Head, versions: Mapping[str, int]) -> None:
        """Remember a log as a commit left it: its end, and the versions of the streams of that commit."""
        remembered.head = head
        for stream, version in versions.items():
            remembered.versions.pop(stream, None)
            remembered.versions[stream] = version
        for stream in list(islice(remembered.versions, max(0, len(remembered.versions) - STREAMS))):
            del remembered.versions[stream]
        self._logs[org] = remembered
