"""What a process remembers of the logs it writes: each one's end, and the versions of the streams lately written.

Promises: what is remembered is used only where the end of the log is found to be as remembered, so another process's
writes can make it useless and never wrong; it is bounded (tests/property, tests/unit/eventlog/test_memory.py).
"""

from collections.abc import Mapping, Sequence
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


def recall(requests: Sequence[Request], remembered: Remembered | None) -> tuple[dict[str, int], list[str]]:
    """The remembered versions of the streams the requests write or expect something of, and the streams unknown."""
    known = {} if remembered is None else remembered.versions
    versions: dict[str, int] = {}
    unknown: dict[str, None] = {}
    for request in requests:
        for stream in request.streams:
            version = known.get(stream)
            if version is None:
                unknown[stream] = None
            else:
                versions[stream] = version
    return versions, list(unknown)


def surely_new(requests: Sequence[Request], unknown: Sequence[str]) -> set[str]:
    """The streams among `unknown` that a request begins: if one has events already, its first version is taken."""
    return {
        item.stream for request in requests for item in request.items if request.expect.get(item.stream) == 0
    }.intersection(unknown)
