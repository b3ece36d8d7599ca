"""Run the benchmarks: `python -m benchmarks`, or `make bench`; `--help` says what can be chosen."""

import argparse
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from avow.service.hosting import collect_seldom
from benchmarks.bus import measure_bus
from benchmarks.commands import measure_commands
from benchmarks.log import Engine, measure_log
from benchmarks.measure import RESULTS, Report
from benchmarks.pages import measure_pages
from benchmarks.projections import measure_projections
from tests.kit.postgres import PrivatePostgres

PARTS = ("log", "commands", "projections", "pages", "bus")


def main() -> None:
    """Measure what was chosen, and print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each contender (5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each append is measured (1)")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="events already in the log")
    parser.add_argument("--engines", default="postgresql,sqlite")
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    chosen = parser.parse_args()
    collect_seldom()
    report = Report(chosen.runs, part=chosen.only is not None)
    sizes = [int(size) for size in chosen.sizes.split(",")]
    with PrivatePostgres(durable=True) as server, tempfile.TemporaryDirectory(prefix="avow-bench-") as folder:
        new_url: dict[str, Callable[[], str]] = {"postgresql": server.create_database, "sqlite": _sqlite(Path(folder))}
        parts = PARTS if chosen.only is None else (chosen.only,)
        names = chosen.engines.split(",")
        if "commands" in parts:
            measure_commands(report, server.create_database, chosen.seconds)
        if "projections" in parts:
            measure_projections(report, new_url, names, sizes)
        if "pages" in parts:
            measure_pages(report, new_url, names)
        if "bus" in parts:
            measure_bus(report, {name: new_url[name] for name in ("postgresql", *names)}, chosen.seconds)
        engines = [Engine.open(name, new_url[name]) for name in names] if "log" in parts else []
        try:
            measure_log(report, engines, sizes, chosen.seconds)
        finally:
            for engine in engines:
                engine.close()
    report.close()
    print(f"\n{RESULTS}")


def _sqlite(folder: Path) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"sqlite:///{folder}/{next(numbers)}.db"


if __name__ == "__main__":
    main()
