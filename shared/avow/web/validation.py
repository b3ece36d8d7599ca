"""What a validator found wrong, field by field, in words a person can act on.

Promises: every type of error that JSON, a query, a path or a header can cause has its own text in both languages
(tests/unit/web/test_validation.py); what was sent is never repeated, only the name of the field it was sent in.
A model of ours may raise `PydanticCustomError` with a code of the catalogue: it is then answered under that code.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from avow.web.catalogue import Catalogue, phrases, shown

MOST_LISTED = 50
_IN_CATALOGUE = {"string_unicode": "request.text_invalid", "timezone_aware": "time.zone_missing"}


class FieldError(BaseModel):
    """One field at fault."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="Where: `items[1].milestones` in the body, else `query.…`, `path.…`, `header.…`.")
    code: str = Field(description="A stable code of what is wrong with it.")
    message_zh: str
    message_en: str


def field_errors(errors: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> list[FieldError]:
    """The errors of a pydantic validation, at most `MOST_LISTED` of them."""
    return [_field_error(error, catalogue) for error, _ in zip(errors, range(MOST_LISTED), strict=False)]


def common_code(errors: Sequence[FieldError], catalogue: Catalogue) -> str:
    """The one code of the catalogue all the errors have, else `request.invalid`."""
    codes = {error.code for error in errors}
    return codes.pop() if len(codes) == 1 and codes <= set(catalogue) else "request.invalid"


def field_path(loc: Sequence[str | int]) -> str:
    """`("body", "items", 1, "milestones")` as `items[1].milestones`."""
    parts = loc[1:] if len(loc) > 1 and loc[0] == "body" else loc
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in parts)
    return path.removeprefix(".")


def _field_error(error: Mapping[str, Any], catalogue: Catalogue) -> FieldError:
    code = _IN_CATALOGUE.get(error["type"], error["type"])
    params = dict(error.get("ctx") or {})
    if "expected" in params:  # a list the validator wrote in English: 'a', 'b' or 'c'
        params["expected"] = str(params["expected"]).replace(" or ", ", ")
    known = phrases("invalid")
    text = catalogue.message(code, params) if code in catalogue else known.get(code, known["other"]).filled(params)
    return FieldError(field=field_path(error["loc"]), code=code, message_zh=text.zh, message_en=text.en)
