"""How an import stands: what a follower says of itself in health and on the status page."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

State = Literal[
    "starting", "catching_up", "live", "unavailable", "paused", "source_changed", "source_behind", "source_unsound"
]
"""`source_changed`: the source's log is another one, or says something else than it did; `source_behind`: it ends
before what was imported from it, so it was restored; `source_unsound`: its next event is none that can be imported.
Each of these waits for a person, as `paused` does, who wanted it so; `unavailable` passes by itself."""

HALTED: frozenset[State] = frozenset({"source_changed", "source_behind", "source_unsound"})
"""The states in which nothing more is imported until a person has looked at the source."""


@dataclass(frozen=True)
class Status:
    """How the import stands, since when (UTC), and why it is not live if it is not."""

    state: State
    since: str
    imported_sequence: int = 0
    source_head: int = 0
    log_id: UUID | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """The same in JSON's terms."""
        return {
            "state": self.state,
            "since": self.since,
            "imported_sequence": self.imported_sequence,
            "source_head": self.source_head,
            "log_id": None if self.log_id is None else str(self.log_id),
            "reason": self.reason,
        }
