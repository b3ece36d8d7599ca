"""Projections: taken in from an empty table, rebuilt beside the live one, replayed as of now; at growing sizes."""

from collections.abc import Callable, Sequence

from benchmarks.contenders.library_views import LibraryViews
from benchmarks.contenders.views import AvowViews, Copy, Many
from benchmarks.measure import Report

LIBRARY_SECONDS = 3.0
"""The library is given so long and not the whole log, which would take it minutes."""


def measure_projections(
    report: Report, new_url: dict[str, Callable[[], str]], names: Sequence[str], sizes: Sequence[int]
) -> None:
    """Every figure of projections, on each engine."""
    for name in names:
        ours = AvowViews(new_url[name]())
        library = LibraryViews(new_url[name]()) if name == "postgresql" else None
        bare = (Copy if name == "postgresql" else Many)(new_url[name]())
        try:
            for size in sizes:
                ours.fill(size)
                if library is not None:
                    library.fill(size)
                _measure(report, name, size, ours, library, bare)
        finally:
            ours.close()
            if library is not None:
                library.close()


def _measure(
    report: Report, engine: str, size: int, ours: AvowViews, library: LibraryViews | None, bare: Copy | Many
) -> None:
    peers = {} if library is None else {f"{library.name}, projection runner": lambda: library.project(LIBRARY_SECONDS)}
    report.compare(
        f"projection, one row an event, {engine}, {size:,} in the log",
        "events/s",
        ours.project,
        peers,
        lambda: bare.write(size),
    )
    report.compare(f"rebuild beside the live view, {engine}, {size:,} in the log", "events/s", ours.rebuild)
    report.compare(f"as of now, replayed into memory, {engine}, {size:,} in the log", "events/s", ours.as_of)
