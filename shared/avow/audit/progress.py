"""How far an audit is: parts of known weight, told as one."""

from collections.abc import Callable, Sequence

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much; on SQLite it is called from a reading thread."""


class Work:
    """Parts done one after the other; each is told in its own numbers, the whole in the sum of the weights."""

    def __init__(self, progress: Progress | None, weights: Sequence[int]) -> None:
        self._progress = progress
        self._left = iter(weights)
        self._total = sum(weights)
        self._before = 0
        self._weight = 0

    def part(self) -> Progress:
        """The progress of the next part; one more than there are weights is a StopIteration."""
        self._before += self._weight
        self._weight = next(self._left)
        before, weight = self._before, self._weight

        def told(done: int, of: int) -> None:
            if self._progress is not None:
                self._progress(before + weight * min(done, of) // max(of, 1), self._total)

        return told

    def done(self) -> None:
        """All of it is done, whatever the parts have told."""
        if self._progress is not None:
            self._progress(self._total, self._total)
