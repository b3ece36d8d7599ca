"""The weather of a simulation: how often each thing fails, drawn once by the seed, so that no two seeds are alike.

Everything here is a chance per call or a mean number of seconds; `calm` lets nothing fail any more.
"""

from dataclasses import dataclass, fields, replace
from random import Random


@dataclass
class Weather:
    """What may happen, and how often."""

    storm: float = 30.0
    """Seconds of faults, after which everything must come right by itself."""
    processes: int = 1
    """Of each service."""
    by_queue: bool = True
    """Whether services hear each other over the broker, or over the feed's live stream."""
    crash_after: float = 0.0
    """Mean calls between two crashes of a process, 0 for none; `restart_after` its mean seconds in office."""
    restart_after: float = 0.0
    stop_after: float = 0.0
    """Mean seconds until a process is stopped for a while, as a machine that swaps or a signal does."""
    skew_after: float = 0.0
    """Mean seconds until a machine's clock is put forward or back."""
    away_after: float = 0.0
    """Mean seconds until a database is away for a while; `full` of the times it can be read, and takes nothing."""
    full: float = 0.3
    doubt: float = 0.0
    """Chance that a write is broken off, and nobody is told whether it was committed."""
    slow: float = 0.02
    outage_after: float = 0.0
    """Mean seconds until the broker is away; `wiped` of the times it comes back without any queue."""
    wiped: float = 0.25
    cut: float = 0.0
    """Chance per frame that its connection dies without a word: nothing arrives any more, in either direction."""
    unconfirmed: float = 0.0
    refused: float = 0.0
    doubled: float = 0.0
    garbage: float = 0.0
    """Chances per message published: stored and never confirmed, refused, stored twice, bad bytes beside it."""
    spread: float = 0.01
    """Mean seconds a frame is under way; each takes its own, so they overtake each other."""
    feed: float = 0.0
    """Chance that an answer of the feed does not come."""
    answer: float = 0.0
    """Chance that a caller does not hear the answer to a command, and asks again."""

    def calm(self) -> None:
        """Let nothing fail from now on."""
        for field in fields(self):
            if field.name not in ("storm", "processes", "by_queue", "spread", "slow"):
                setattr(self, field.name, 0.0)

    def strikes(self, chance: Random, rate: float) -> bool:
        """Whether something of this chance happens now."""
        return rate > 0 and chance.random() < rate


def rough(weather: Weather) -> Weather:
    """Weather in which much of everything goes wrong, over the broker."""
    return replace(
        weather, by_queue=True, storm=20.0, crash_after=300.0, doubt=0.2, outage_after=15.0, wiped=0.1, cut=0.01,
        unconfirmed=0.03, refused=0.05, doubled=0.3, garbage=0.05, spread=0.05, feed=0.1, answer=0.2, away_after=4.0,
    )  # fmt: skip


def drawn(chance: Random) -> Weather:
    """The weather of a seed: each kind of fault is absent, seldom or frequent."""

    def rate(seldom: float, often: float) -> float:
        return chance.choice((0.0, seldom, often))

    def mean(seldom: float, often: float) -> float:
        return chance.choice((0.0, seldom, often))

    return Weather(
        storm=chance.choice((8.0, 12.0, 12.0, 20.0, 40.0)),
        processes=chance.choice((1, 1, 1, 1, 2)),
        by_queue=chance.random() < 0.85,
        crash_after=mean(600.0, 150.0),
        restart_after=mean(60.0, 20.0),
        stop_after=mean(60.0, 20.0),
        skew_after=mean(30.0, 10.0),
        away_after=mean(60.0, 20.0),
        doubt=rate(0.005, 0.05),
        slow=rate(0.01, 0.05),
        outage_after=mean(60.0, 15.0),
        cut=rate(0.001, 0.01),
        unconfirmed=rate(0.003, 0.02),
        refused=rate(0.003, 0.02),
        doubled=rate(0.05, 0.5),
        garbage=rate(0.01, 0.05),
        spread=chance.choice((0.002, 0.01, 0.1)),
        feed=rate(0.02, 0.2),
        answer=rate(0.02, 0.2),
    )
