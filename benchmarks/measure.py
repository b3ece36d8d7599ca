"""Measuring in turn: ours, the peer, the limit, and again, so that whatever the machine does meanwhile hits them all.

A figure is the median of its runs; the spread is printed beside it, because a wide one says the machine was busy.
"""

import json
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results" / "latest.json"
Run = Callable[[], float]


@dataclass(frozen=True)
class Figure:
    """One line of the table; `ratio` is ours to the peer's, `of_limit` ours to what the bare driver does."""

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    limit: float | None
    of_limit: float | None


def in_turn(runs: int, contenders: Mapping[str, Run]) -> dict[str, list[float]]:
    """What each contender did in each run, after one run each that does not count."""
    for run in contenders.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, run in contenders.items():
            found[name].append(run())
    return found


class Report:
    """Takes figures as they come, prints them, and writes them to `results/latest.json`.

    What a run of one `part` does not measure stays there as it was; `make bench` alone begins with nothing.
    """

    def __init__(self, runs: int, part: bool) -> None:
        self.runs = runs
        self._before: list[dict[str, object]] = json.loads(RESULTS.read_text("utf-8")) if part else []
        self._console = Console(highlight=False)
        self._figures: list[Figure] = []

    def compare(
        self, name: str, unit: str, ours: Run, peers: Mapping[str, Run] | None = None, limit: Run | None = None
    ) -> None:
        """Measure ours beside its peers and the limit; one figure for each peer."""
        peers = peers or {}
        found = in_turn(self.runs, {"ours": ours, **peers, **({"limit": limit} if limit else {})})
        medians = {who: statistics.median(values) for who, values in found.items()}
        mine, most = medians["ours"], medians.get("limit")
        for peer in peers or [None]:
            theirs = medians[peer] if peer else None
            self._figures.append(
                Figure(
                    name=name,
                    unit=unit,
                    ours=round(mine, 3),
                    peer=None if theirs is None else round(theirs, 3),
                    peer_name=peer,
                    ratio=None if not theirs else round(mine / theirs, 2),
                    limit=None if most is None else round(most, 3),
                    of_limit=None if not most else round(mine / most, 2),
                )
            )
        spread = "  ".join(
            f"{who} {medians[who]:,.0f} ({min(values):,.0f}–{max(values):,.0f})" for who, values in found.items()
        )
        self._console.print(f"{name} [{unit}]  {spread}", soft_wrap=True, markup=False)

        self._write()

    def _write(self) -> None:
        # After each figure, so that a run that is broken off has something to show.
        RESULTS.parent.mkdir(exist_ok=True)
        measured = {figure.name for figure in self._figures}
        figures = [each for each in self._before if each["name"] not in measured] + [asdict(f) for f in self._figures]
        RESULTS.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def close(self) -> None:
        """Print the table."""
        table = Table("what", "unit", "ours", "peer", "", "ratio", "limit", "of limit", box=None, padding=(0, 2, 0, 0))
        for f in self._figures:
            table.add_row(
                f.name, f.unit, _number(f.ours), _number(f.peer), f.peer_name or "",
                "" if f.ratio is None else f"{f.ratio}×", _number(f.limit), _number(f.of_limit, 2),
            )  # fmt: skip
        self._console.print(table)


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
