"""What decisions lately read, by what was asked: the facts, beside the states (states.py).

Promises: in haste what was read before is given again; with care it is read anew, and kept. Whether it still holds is
decided by the append: whoever recalls a fact notes the version of the stream it rests on, as the very same answer gives
it, or names that version in the key; a version from elsewhere may be newer than the fact. Bounded
(tests/unit/eventlog/test_at_hand.py, tests/unit/pledge/test_facts_at_hand.py).
"""

from collections.abc import Callable, Hashable
from itertools import islice
from typing import Any, NoReturn, Protocol, TypeVar, cast

from sqlalchemy import Connection

T = TypeVar("T")

HELD = 50_000
"""How many answers are held; when there are more, the half that was read longest ago goes."""


class Recall(Protocol):
    """Gives what was asked under this key, by reading it if need be."""

    def __call__(self, key: Hashable, read: Callable[[], T]) -> T: ...


def read_anew(key: Hashable, read: Callable[[], T]) -> T:
    """Recall nothing."""
    return read()


class AtHand:
    """Holds answers by what was asked."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Any] = {}

    def recall(self, key: Hashable, read: Callable[[], T]) -> T:
        """What was read before, if it is at hand."""
        try:
            return cast(T, self._held[key])
        except KeyError:
            return self.refresh(key, read)

    def refresh(self, key: Hashable, read: Callable[[], T]) -> T:
        """What there is now, kept for later."""
        answer = read()
        self._held.pop(key, None)
        self._held[key] = answer
        if len(self._held) > HELD:
            for old in list(islice(self._held, HELD // 2)):
                self._held.pop(old, None)
        return answer


class NotAtHand(Exception):
    """Something has to be read from the database after all."""


class _Nowhere:
    def __getattr__(self, name: str) -> NoReturn:
        raise NotAtHand(name)


NOWHERE = cast(Connection, _Nowhere())
"""Stands for a connection where all should be at hand: whoever asks it for anything gets NotAtHand."""
