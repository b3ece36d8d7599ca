"""A source: one organisation's log at one service."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    """Where a log is read: the service's address, the subscriber's token, the organisation."""

    url: str
    token: str = field(repr=False)
    org: str
