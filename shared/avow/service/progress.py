"""Progress: whether every part of a running service does its work, by whether it moves while something waits.

A part is looked at every `EVERY` seconds. One that lacks something and has not moved for `STILL` seconds stands still,
as does one that waits for a person; one that is far behind and moves is well, and so is a relay that stands by for
another, and what a person paused. Promises: it is measured by the process's own watch, so that a clock that is set, or
a book with old events, says nothing (tests/unit/service/test_progress.py).
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue
from sqlalchemy import Connection

from avow.bus.status import HALTED
from avow.eventlog import dead_letters, reading
from avow.eventlog.append import read_head
from avow.eventlog.batch import Head
from avow.eventlog.faults import fault_of
from avow.projections.builds import positions

if TYPE_CHECKING:
    from avow.service.service import ChoreState, Service

EVERY = 2.0
STILL = 30.0
ANSWER = 5.0
"""Seconds the database may take to say where everything is."""

Kind = Literal["database", "projection", "import", "relay", "reaction"]
_HOLDING = frozenset({"standby", "paused"})
"""The states in which nothing is expected to move here."""


@dataclass(frozen=True)
class Seen:
    """A part as it is now: how far it is, of how much, and in which state."""

    kind: Kind
    name: str
    org: str | None
    reached: int
    goal: int
    state: str
    halted: bool = False
    """Whether it waits for a person."""

    @property
    def lag(self) -> int:
        """How much waits."""
        return max(0, self.goal - self.reached)


_Key = tuple[Kind, str, str | None]


@dataclass
class Progress:
    """What was seen of every part, and since when each has not moved."""

    seen: Mapping[_Key, Seen] = field(default_factory=dict)
    heads: Mapping[str, Head] = field(default_factory=dict)
    letters: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often the dead letters that wait came, by organisation and kind."""
    fault: str | None = None
    """What ails the database, if anything."""
    _still_since: dict[_Key, float] = field(default_factory=dict)
    _looked: bool = False

    def note(self, parts: Iterable[Seen], now: float) -> None:
        """Take in what is seen; `now` is by a watch that is never set."""
        latest = {(part.kind, part.name, part.org): part for part in parts}
        for key, part in latest.items():
            before = self.seen.get(key)
            moved = before is None or part.reached != before.reached
            if moved or not part.lag or part.state in _HOLDING:
                self._still_since[key] = now
        self.seen, self.fault, self._looked = latest, None, True

    def fail(self, fault: str) -> None:
        """Take in that nothing can be seen."""
        self.fault = fault

    def standing_still(self, now: float) -> list[dict[str, JsonValue]]:
        """What does not do its work; empty where all is well."""
        found: list[dict[str, JsonValue]] = []
        if self.fault is not None or not self._looked:
            found.append({"kind": "database", "state": self.fault or "starting"})
        for key, part in self.seen.items():
            still = now - self._still_since[key]
            if part.halted or (part.state not in _HOLDING and part.lag and still > STILL):
                found.append(
                    {
                        "kind": part.kind, "name": part.name, "org": part.org, "state": part.state,
                        "reached": part.reached, "lag": part.lag, "still_seconds": int(still),
                    }
                )  # fmt: skip
        return found

    def paused(self) -> list[dict[str, JsonValue]]:
        """What a person has paused."""
        return [
            {"kind": part.kind, "name": part.name, "org": part.org}
            for part in self.seen.values()
            if part.state == "paused"
        ]


async def watch(service: "Service") -> None:
    """Look at the parts of a service again and again, until cancelled."""
    while True:
        await look(service)
        await asyncio.sleep(EVERY)


async def look(service: "Service") -> None:
    """Look at every part of a service once."""
    now = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(ANSWER):
            heads, letters, projected = await service.database.read(partial(_read, service=service))
    except Exception as error:  # noqa: BLE001 - whatever it is, it keeps the service from its work
        fault = fault_of(error)
        service.progress.fail(fault.value if fault else type(error).__name__)
        return
    service.progress.heads, service.progress.letters = heads, letters
    done = chores(service.chores, service.reactions.carried_out_by)
    service.progress.note([*projected, *_imports(service), *_relays(service), *done], now)


_Read = tuple[dict[str, Head], dict[tuple[str, str], int], list[Seen]]


def _read(connection: Connection, service: "Service") -> _Read:
    """The end of every log, the dead letters that wait, and how far each projection is."""
    heads: dict[str, Head] = {}
    letters: Counter[tuple[str, str]] = Counter()
    parts = []
    for org in reading.organisations(connection):
        head = read_head(connection, org)
        if head is None:
            continue
        heads[org] = head
        for group in dead_letters.groups(connection, org):
            letters[org, group.kind] += group.times
        reached = positions(connection, org, service.runner.projections)
        for projection in service.runner.projections:
            position = min(reached.get(projection.name, 0), head.position)
            stopped = service.runner.stopped.get(projection.name)
            halted = stopped is not None and stopped.org == org
            state = "stopped" if halted else "live"
            parts.append(Seen("projection", projection.name, org, position, head.position, state, halted))
    return heads, dict(letters), parts


def _imports(service: "Service") -> Iterable[Seen]:
    for org, follower in service.followers.items():
        status = follower.status
        halted = status.state in HALTED
        # Of a source that does not answer it is not known what there is: there is something, until it says otherwise.
        unknown = status.state in ("starting", "unavailable")
        goal = max(status.source_head, status.imported_sequence + unknown)
        yield Seen("import", "import", org, status.imported_sequence, goal, status.state, halted)


def _relays(service: "Service") -> Iterable[Seen]:
    for org, relay in service.relays.items():
        status = relay.status
        unknown = status.state in ("starting", "unavailable")
        goal = max(status.head, status.confirmed + unknown)
        yield Seen("relay", "relay", org, status.confirmed, goal, status.state)


def chores(states: "Mapping[str, ChoreState]", carried_out: Counter[str]) -> Iterable[Seen]:
    """The chores as they are now, each of which has carried out so many reactions."""
    for name, at in states.items():
        # One that fails round after round is no better for what it does before it fails.
        done = at.rounds + (carried_out[name] if at.state != "failing" else 0)
        yield Seen("reaction", name, None, done, done + (at.state != "waiting"), at.state)
