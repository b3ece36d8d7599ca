"""How the end of a schema is announced: when it was said, and from when on nothing is written in it.

Promises: the notice is never shorter than `LEAST_NOTICE`; it stands in the AsyncAPI document, in the catalogue, on the
page and in the answers that carry the schema (tests/unit/contracts/test_ending.py).
Limit: what was written in an ended schema stays in the log and in the feed, and is read for ever.
"""

from dataclasses import dataclass
from datetime import date, timedelta

LEAST_NOTICE = timedelta(days=90)


@dataclass(frozen=True)
class Ending:
    """The current schema of a type is written until `until`, which was announced on `since`; then comes `successor`.

    `successor` names a schema, such as `pledge.made.v2`, or is None where the type ends altogether. A notice shorter
    than `LEAST_NOTICE` is a ValueError.
    """

    since: date
    until: date
    successor: str | None

    def __post_init__(self) -> None:
        if self.until - self.since < LEAST_NOTICE:
            raise ValueError(f"announced {(self.until - self.since).days} days ahead; {LEAST_NOTICE.days} are promised")
