"""A row's values as the command line shows them, seals opened."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from avow.contracts import moment
from avow.kernel.seal import Seal
from avow.projections.projection import Document

Opened = Mapping[Seal, JsonValue]
"""What seals hold; one nothing here opens holds null."""


def as_json(value: Any, opened: Opened) -> JsonValue:
    """The value as JSON: moments and exact numbers as their texts."""
    if isinstance(value, Document):
        parsed: JsonValue = json.loads(value)
        return parsed
    if isinstance(value, Seal):
        return opened.get(value)
    if isinstance(value, datetime):
        return moment.to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    plain: JsonValue = value
    return plain


def as_text(value: Any, opened: Opened, none: str = "—") -> str:
    """The value as text for a person."""
    if isinstance(value, Document):
        return str(value)
    plain = as_json(value, opened)
    if plain is None:
        return none
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
