"""The smallest aggregate there is: a counter that refuses to go below zero, and notes what it decided."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from avow.eventlog.execute import Asked, Grounds
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent
from avow.kernel.refusal import require

STREAM = "counter"


class Add(Command):
    """Add to the counter, in so many events."""

    by: int
    events: int = 1


class Added(PrivateEvent, type="counter.added"):
    """The counter went up, or down."""

    by: int
    campaign_id: str | None = None


CounterDecider = Decider[Add, int, Facts, Added]


def a_counter(seen: list[int] | None = None) -> CounterDecider:
    """A counter; the total each decision rested on is put into `seen`."""

    def decide(command: Add, total: int, facts: Facts) -> list[Added]:
        if seen is not None:
            seen.append(total)
        require(total + command.by * command.events >= 0, "counter.below_zero", "by", total=total)
        return [Added(by=command.by, campaign_id="spring") for _ in range(command.events)]

    return Decider(STREAM, 0, decide, lambda total, event: total + event.by, (Added,))


@dataclass
class Grounding:
    """Facts that rest on whatever `expect` says at the time; `asked` are the questions they were gathered for."""

    expect: Callable[[Connection], Mapping[str, int]] = lambda connection: {}
    guarded: bool = True
    asked: list[Asked[Add, int]] = field(default_factory=list)

    def __call__(self, connection: Connection, asked: Asked[Add, int]) -> Grounds[Facts]:
        self.asked.append(asked)
        return Grounds(Facts(asked.occurred_at, asked.actor), self.expect(connection), self.guarded)
