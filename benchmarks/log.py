"""The log itself: appending, loading an aggregate, replaying; on both engines, at growing sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.contenders import Avow, Library, RawPostgres, RawSqlite
from benchmarks.measure import Report
from benchmarks.worker import PROCESSES, together

CALLERS = (1, 8, 64, 256)
AGGREGATE = 1_000
REPLAYED = 100_000


@dataclass
class Engine:
    """One engine with a database for each contender, filled as the sizes grow."""

    name: str
    ours: Avow
    library: Library
    raw: RawPostgres | RawSqlite
    urls: dict[str, str]

    @classmethod
    def open(cls, name: str, new_url: Callable[[], str]) -> "Engine":
        """Fresh databases, and an aggregate to load in each."""
        urls = {"avow": new_url(), "library": new_url(), f"raw-{name}": new_url()}
        ours, library = Avow(urls["avow"]), Library(urls["library"])
        raw = (RawPostgres if name == "postgresql" else RawSqlite)(urls[f"raw-{name}"])
        for contender in (ours, library, raw):
            contender.aggregate(AGGREGATE)
        return cls(name, ours, library, raw, urls)

    def fill(self, size: int) -> None:
        """Bring every log to so many events."""
        for contender in (self.ours, self.library, self.raw):
            contender.fill(size)

    def close(self) -> None:
        """Close every database."""
        for contender in (self.ours, self.library, self.raw):
            contender.close()


def measure_log(report: Report, engines: Sequence[Engine], sizes: Sequence[int], seconds: float) -> None:
    """Every figure of the log."""
    for size in sizes:
        for engine in engines:
            engine.fill(size)
            _append(report, engine, size, seconds)
            _load(report, engine, size)
            if size >= REPLAYED:
                _replay(report, engine, size)


def _append(report: Report, engine: Engine, size: int, seconds: float) -> None:
    for callers in CALLERS:
        report.compare(
            f"append, {engine.name}, {callers} callers, {size:,} in the log",
            "events/s",
            lambda callers=callers: engine.ours.append(callers, seconds),  # type: ignore[misc]
            {Library.name: lambda callers=callers: engine.library.append(callers, seconds)},  # type: ignore[misc]
            lambda callers=callers: engine.raw.append(callers, seconds),  # type: ignore[misc]
        )
    each = 64 // PROCESSES
    report.compare(
        f"append, {engine.name}, {PROCESSES} processes of {each} callers, {size:,} in the log",
        "events/s",
        lambda: together("avow", engine.urls["avow"], each, seconds),
        {Library.name: lambda: together("library", engine.urls["library"], each, seconds)},
        lambda: together(f"raw-{engine.name}", engine.urls[f"raw-{engine.name}"], each, seconds),
    )


def _load(report: Report, engine: Engine, size: int) -> None:
    report.compare(
        f"load an aggregate of {AGGREGATE:,} events, {engine.name}, {size:,} in the log",
        "aggregates/s",
        lambda: engine.ours.load(20),
        {Library.name: lambda: engine.library.load(5)},
        lambda: engine.raw.load(20),
    )


def _replay(report: Report, engine: Engine, size: int) -> None:
    for what, ours in (("whole events", engine.ours.replay), ("named fields", engine.ours.replay_fields)):
        report.compare(
            f"replay of {REPLAYED:,} as a typed fold, {what}, {engine.name}, {size:,} in the log",
            "events/s",
            lambda ours=ours: ours(REPLAYED),  # type: ignore[misc]
            {Library.name: lambda: engine.library.replay(REPLAYED)},
            lambda: engine.raw.replay(REPLAYED),
        )
