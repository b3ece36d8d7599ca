"""Chance that comes out the same each time: a draw is a hash of the seed and of what is drawn.

Promises: no draw depends on another, so figures do not depend on the order in which anything is played.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """Draws by what they are for: `dice.below(6, "turnout", branch.key, n)`."""

    seed: int

    def below(self, bound: int, *what: object) -> int:
        """A number from 0 to below `bound`."""
        drawn = sha256("/".join(map(str, (self.seed, *what))).encode()).digest()
        return int.from_bytes(drawn[:8], "big") % bound

    def chance(self, percent: int, *what: object) -> bool:
        """Whether something happens that does so many times in a hundred."""
        return self.below(100, *what) < percent

    def pick(self, choices: Sequence[T], *what: object) -> T:
        """One of these."""
        return choices[self.below(len(choices), *what)]

    def among(self, weighted: Sequence[tuple[T, int]], *what: object) -> T:
        """One of these, each as likely as its weight."""
        left = self.below(sum(weight for _, weight in weighted), *what)
        for choice, weight in weighted:
            left -= weight
            if left < 0:
                return choice
        raise AssertionError("the weights are numbers from 0 on, not all 0")
