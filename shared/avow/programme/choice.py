"""Choosing from a programme's vocabulary: a key it does not define is refused, with the keys it does."""

from collections.abc import Callable
from typing import TypeVar

from avow.kernel.refusal import Refusal
from avow.programme.errors import UnknownKey

T = TypeVar("T")


def choose(look_up: Callable[[str], T], key: str, field: str) -> T:
    """What the programme defines under `key`; refuses as `programme.unknown_key` at `field`."""
    try:
        return look_up(key)
    except UnknownKey as unknown:
        raise Refusal("programme.unknown_key", field, known=", ".join(unknown.known)) from unknown
