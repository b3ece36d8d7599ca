"""The faults: what strikes whom, after how long and for how long, drawn from a seed.

Killing a service is much the most frequent, by turns at a named instant (instants.py), some milliseconds after a
command was sent, and while it starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.chaos.instants import INSTANTS
from tests.chaos.ledger import SERVICES, Service
from tests.chaos.pair import Engine

Kind = Literal[
    "kill",
    "kill_at_an_instant",
    "kill_while_it_starts",
    "kill_both",
    "pause",
    "blackhole",
    "reset",
    "queue_deleted",
    "doubled",
    "reordered",
    "garbage",
    "broker_killed",
    "broker_stopped",
    "broker_wiped",
    "memory_alarm",
    "database_killed",
    "node_killed",
]
KILLS: dict[Kind, int] = {"kill": 40, "kill_at_an_instant": 40, "kill_while_it_starts": 8, "kill_both": 6}
"""How often each is drawn, of all that kill a service."""
OTHERS: tuple[Kind, ...] = (
    "pause",
    "broker_killed",
    "blackhole",
    "reset",
    "queue_deleted",
    "doubled",
    "reordered",
    "garbage",
    "broker_stopped",
    "broker_wiped",
    "memory_alarm",
    "database_killed",
)
"""What strikes beside: each once, in an order that is drawn, before any comes again."""
OTHERS_IN_A_HUNDRED = 15


@dataclass(frozen=True)
class Fault:
    """One strike: `after` and `lasting` are seconds; `instant` is at which to die, `times` at which time of it."""

    kind: Kind
    service: Service
    after: float
    lasting: float
    instant: str
    times: int


def drawn(seed: int, engine: Engine) -> Iterator[Fault]:
    """Faults without end, the same for the same seed and engine."""
    lots = Random(f"{seed} {engine}")
    fitting = [kind for kind in OTHERS if kind != "database_killed" or engine == "postgresql"]
    others: list[Kind] = []
    while True:
        if lots.random() < OTHERS_IN_A_HUNDRED / 100:
            others = others or lots.sample(fitting, len(fitting))
            kind = others.pop()
        else:
            (kind,) = lots.choices(list(KILLS), list(KILLS.values()))
        yield _fault(lots, kind)


def every_kind_once(seed: int, engine: Engine) -> Iterator[Fault]:
    """Every way to kill a service, and half of the instants and of the other faults; the rest strikes on the other
    engine."""
    lots = Random(f"{seed} {engine}")
    own = slice(1, None, 2) if engine == "postgresql" else slice(0, None, 2)
    faults = [_fault(lots, kind) for kind in (*KILLS, *OTHERS[own]) if kind != "kill_at_an_instant"]
    faults += [at(instant, lots.choice(SERVICES), lots.randint(1, 2)) for instant in INSTANTS[own]]
    yield from lots.sample(faults, len(faults))


def in_a_cluster(seed: int, nodes: int) -> Iterator[Fault]:
    """So many nodes are killed, and some services before each."""
    lots = Random(seed)
    for _ in range(nodes):
        yield from (_fault(lots, kind) for kind in ("kill", "kill_at_an_instant", "node_killed"))


def at(instant: str, service: Service, times: int = 1, after: float = 0.0) -> Fault:
    """A service dies at an instant, and all the time it takes is waited for it to come."""
    return Fault("kill_at_an_instant", service, after, 20.0, instant, times)


def _fault(lots: Random, kind: Kind) -> Fault:
    return Fault(
        kind=kind,
        service=lots.choice(SERVICES),
        after=lots.uniform(0, 0.3),
        lasting=lots.uniform(0.2, 4.0),
        instant=lots.choice(INSTANTS),
        times=lots.randint(1, 4),
    )
