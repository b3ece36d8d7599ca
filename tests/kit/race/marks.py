"""What the writers of a race leave behind: events that say what was asked, and a ledger of what was answered.

Promises: a line of the ledger is on the disk before its writer asks for anything else, so it survives a SIGKILL.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

from avow.eventlog.records import Appended, Context, Proposed
from avow.kernel.message import PrivateEvent, PublicEvent, Value
from avow.kernel.ports import Clock


class Mark(Value):
    """Which request an event was part of, and what that request expected."""

    request: str
    part: int
    of: int
    expect: dict[str, int]


class Shown(PublicEvent, type="race.shown"):
    """A public event of a race."""

    mark: Mark


class Hidden(PrivateEvent, type="race.hidden"):
    """A private event of a race."""

    mark: Mark


def marked(request: str, streams: Sequence[str], expect: Mapping[str, int], clock: Clock) -> list[Proposed]:
    """The events of a request, one for each stream named: their ids, and which are public, follow from its name."""
    items = []
    for part, stream in enumerate(streams):
        event_id = uuid5(NAMESPACE_OID, f"{request}/{part}")
        mark = Mark(request=request, part=part, of=len(streams), expect=dict(expect))
        event = Shown(mark=mark) if event_id.int % 2 else Hidden(mark=mark)
        items.append(Proposed(stream, event_id, event, Context(clock.now())))
    return items


class Ledger:
    """A writer's own account of its answers, in a file that its successor goes on with."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def acknowledged(self, rows: Sequence[Appended]) -> None:
        """Note where the log said these events stand."""
        stands = [
            [str(row.event_id), row.position, row.sequence, row.stream, row.version, row.repeated] for row in rows
        ]
        self._note({"acknowledged": stands})

    def refused(self, ids: Sequence[UUID], error: Exception) -> None:
        """Note that these events were not taken, and why."""
        self._note({"refused": [str(event_id) for event_id in ids], "error": repr(error), "why": type(error).__name__})

    def _note(self, line: Mapping[str, object]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)
