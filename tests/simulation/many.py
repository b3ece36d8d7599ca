"""Many seeds in several processes; the first that fail are told in full."""

import gc
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.pair import Outcome, simulate
from tests.simulation.planted import BUGS

TOLD = 3
"""How many failing seeds are shown with their last lines."""


def outcomes(seeds: Iterable[int], jobs: int | None = None) -> Iterator[Outcome]:
    """What comes of each, in their order."""
    with ProcessPoolExecutor(jobs or os.cpu_count(), initializer=_prepare) as pool:
        yield from pool.map(simulate, seeds, chunksize=4)


def bitten(asked: Sequence[tuple[str, int]], jobs: int | None = None) -> Iterator[Outcome]:
    """What comes of each planted bug with each seed, in their order."""
    with ProcessPoolExecutor(jobs or os.cpu_count(), initializer=_prepare) as pool:
        yield from pool.map(_with_bug, asked, chunksize=4)


def _with_bug(asked: tuple[str, int]) -> Outcome:
    name, seed = asked
    bug = BUGS[name]
    return simulate(seed, bug.parts, weather=bug.weather, commands=bug.commands)


def _prepare() -> None:
    """A run leaves nothing behind that the collector would have to look for again and again."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def summed(found: Iterable[Outcome]) -> Counter[str]:
    """How often each thing happened in all of them."""
    total: Counter[str] = Counter()
    for outcome in found:
        total.update(outcome.seen)
    return total
