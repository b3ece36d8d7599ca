"""Cursors: where a page ended, as one opaque word for a web address.

Promises: a cursor goes on with the list, the filters and the order it was made for, and with nothing else; one that was
altered, cut or taken from another list is refused (tests/unit/projections/test_listing.py). Limit: it is no secret and
no right: it says where to begin in a list that whoever asks may read from its beginning.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from avow.kernel.refusal import Refusal

_MARK = 12


def write_cursor(about: str, values: Sequence[Any]) -> str:
    """The cursor of a list `about` says everything of, at a row with these values."""
    body = json.dumps(to_jsonable_python(list(values)), ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(_mark(about, body) + body).decode().rstrip("=")


def read_cursor(about: str, cursor: str, kinds: Sequence[TypeAdapter[Any]]) -> list[Any]:
    """The values of a cursor, each of its kind or None. Raises Refusal: `list.cursor_foreign`."""
    try:
        found = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        mark, body = found[:_MARK], found[_MARK:]
        values = json.loads(body)
        if mark != _mark(about, body) or not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError("of another list")
        return [
            None if value is None else kind.validate_json(json.dumps(value))
            for kind, value in zip(kinds, values, strict=True)
        ]
    except (ValueError, ValidationError, RecursionError) as error:
        raise Refusal("list.cursor_foreign", "after") from error


def _mark(about: str, body: bytes) -> bytes:
    return hashlib.sha256(about.encode() + b"\n" + body).digest()[:_MARK]
