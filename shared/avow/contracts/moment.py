"""How a moment is written: UTC, microseconds, a trailing Z; one text for one moment, everywhere it is hashed.

Promises: texts sort as their moments do (tests/unit/contracts/test_moment.py).
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

# The digits alone: ASCII ones, and no hour 24.
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3])(?::[0-9]{2}){2}\.[0-9]{6}Z")
_LENGTH = len("2010-12-17T10:00:00.000000Z")
_quoted = msgspec.json.Encoder().encode


def to_text(moment: datetime) -> str:
    """`2010-12-17T10:00:00.000000Z`; a moment without a time zone, or outside the years 1–9999, is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    if moment.tzinfo is not UTC:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("a moment outside the years 1 to 9999") from error
    # Written by the encoder in a tenth of the time, but for its microseconds where there are none.
    text = _quoted(moment)[1:-1].decode()
    return text if len(text) == _LENGTH else f"{text[:19]}.000000Z"


@lru_cache(1024)
def from_text(text: str) -> datetime:
    """The moment a text says; anything but the one form is a ValueError."""
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"not a moment: {text!r}")
    return datetime.fromisoformat(text)
