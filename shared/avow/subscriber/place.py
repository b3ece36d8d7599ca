"""A place in a log: how far a subscriber is, and by what it is known again that the log is the one it was."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID


class LogKey(NamedTuple):
    """Which log: an organisation's at a service."""

    org: str
    service: str


@dataclass(frozen=True)
class Place:
    """All up to `sequence` is done; `leaf` is that of the event there, None before the first."""

    org: str
    service: str
    log_id: UUID
    sequence: int
    leaf: bytes | None

    @property
    def log(self) -> LogKey:
        return LogKey(self.org, self.service)
