"""Values that public events share: labels, scopes, key names and exact numbers."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, PlainSerializer, StringConstraints, WithJsonSchema

from avow.contracts import moment
from avow.kernel.message import Line, Value

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
"""The name of something a programme template defines: a scope, a channel, a grade, a rater class."""

Identity = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUID in its lower-case hyphenated form: the identity of an aggregate."""


def _bounded(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(value) >= Decimal("1e12") or exponent < -9 or exponent > 12:
        raise ValueError("a number below 10^12 with at most nine decimals")
    return value


Exact = Annotated[
    Decimal,
    AfterValidator(_bounded),
    # Left to itself a Decimal writes 0.000000000 as 0E-9.
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$"}, mode="validation"),
]
"""An exact number: below 10^12, at most nine decimals, written as text."""

Instant = Annotated[AwareDatetime, AfterValidator(lambda value: moment.from_text(moment.to_text(value)))]
"""A moment in UTC, to the microsecond."""


class Label(Value):
    """A name in Chinese and English."""

    zh: Line
    en: Line
