"""Commands and events: what is asked, and what has happened.

Promises: both are frozen; an event declares its wire name and payload version, neither is derived from a class name,
and one that changed says how each earlier payload becomes the next, without a gap (proved by
tests/unit/kernel/test_message.py). Limit: that an upcaster does what it should is shown by golden files, not here.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

_NOT_IN_PROSE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _printable(text: str, refused: re.Pattern[str] = _NOT_IN_PROSE) -> str:
    if refused.search(text):
        raise PydanticCustomError("request.text_invalid", "control characters")
    return text


def _one_line(text: str) -> str:
    return _printable(text, _NOT_IN_A_LINE)


def _as_typed(text: object) -> object:
    # Browsers send the line breaks of a form as CR LF.
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
    Field(json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"}),
]
"""One line of text a person typed: 1–200 characters, no control characters, no line breaks."""

Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    AfterValidator(_printable),
    BeforeValidator(_as_typed),
]
"""A passage a person typed: 1–4,000 characters; line breaks allowed, other control characters not."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment outside the years 1 to 9999") from error


class Value(BaseModel):
    """A frozen value inside a command or an event; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(Value):
    """What a person asks for, in the imperative.

    `occurred_at` is when it happened if that was not now, `late_reason` why it is entered more than seven days later
    (R-02). The reason is sealed with the event it belongs to; of an event that is public, it is public too.
    """

    occurred_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None
    late_reason: Annotated[
        Line | None,
        Field(
            description="Why it is entered late. Public unless what is entered is sealed, so name nobody here. / "
            "补录原因。除非所记内容加封，否则公开，请勿写明个人姓名。"
        ),
    ] = None


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the fields of the next schema from those of one, as JSON values; pure, and a seal is passed on as it stands."""


class Event(BaseModel):
    """What has happened, in the past tense; declared as `class PledgeMade(PublicEvent, type="pledge.made")`.

    Unknown fields are ignored on reading, so that an addition to a contract breaks no reader. Any other change is a new
    schema: `class PledgeMade(PublicEvent, type="pledge.made", schema=3, upcasters={1: to_2, 2: to_3})`; upcasters that
    are not just those from 1 to the last schema before are a ValueError.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    schema_version: ClassVar[int]
    upcasters: ClassVar[tuple[Upcaster, ...]]
    """The n-th makes schema n+1 of schema n: each leads one step up, so none can lead in a circle."""
    public: ClassVar[bool]

    def __init_subclass__(
        cls, *, type: str | None = None, schema: int = 1, upcasters: Mapping[int, Upcaster] = MappingProxyType({})
    ) -> None:
        super().__init_subclass__()
        if type is not None:
            steps = range(1, schema)
            if missing := sorted(set(steps) - set(upcasters)):
                raise ValueError(f"{type} is at schema {schema} and has no upcaster from {missing}")
            if beyond := sorted(set(upcasters) - set(steps)):
                raise ValueError(f"{type} is at schema {schema} and has an upcaster from {beyond}")
            cls.type = type
            cls.schema_version = schema
            cls.upcasters = tuple(upcasters[n] for n in steps)


class PublicEvent(Event):
    """An event other services may see: it takes a sequence and travels on the wire."""

    public = True


class PrivateEvent(Event):
    """An event that never leaves its service and casts no shadow on the public sequence."""

    public = False
