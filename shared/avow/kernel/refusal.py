"""A refusal: how a rule of the domain says no.

Promises: it carries a stable code, the field at fault and the parameters of its text; the text itself, in Chinese and
English, lives in the message catalogues. A refusal never becomes an event.
"""


class Refusal(Exception):
    """A typed refusal: a stable code, the field at fault and the parameters of its text."""

    def __init__(self, code: str, field: str | None = None, **params: object) -> None:
        super().__init__(code if field is None else f"{code} at {field}")
        self.code = code
        self.field = field
        self.params: dict[str, object] = params


def require(condition: object, code: str, field: str | None = None, **params: object) -> None:
    """Refuse with `code` unless `condition` holds."""
    if not condition:
        raise Refusal(code, field, **params)
