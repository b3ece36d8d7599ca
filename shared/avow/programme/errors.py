"""What can be wrong with a programme template, or with asking for one."""

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One fault and where it stands: `review_forms[0].scale`, or a line of the text where it could not be read."""

    path: str
    message: str


class TemplateError(ValueError):
    """A template that contradicts itself or cannot be read; every fault is named with its path, one a line."""

    code = "template.invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{problem.path}: {problem.message}" for problem in self.problems))

    @property
    def path(self) -> str:
        """Where the first fault stands."""
        return self.problems[0].path


class UnknownTemplate(LookupError):
    """No template of that key is shipped; `available` are those that are."""

    code = "template.unknown"

    def __init__(self, key: str, available: tuple[str, ...]) -> None:
        super().__init__(f"no programme template {key!r}; available: {', '.join(available)}")
        self.key = key
        self.available = available


class UnknownKey(LookupError):
    """A template does not define that key; `kind` is the list it was looked up in, `known` that list's keys."""

    code = "template.unknown_key"

    def __init__(self, kind: str, key: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{key!r} is not among {kind}: {', '.join(known)}")
        self.kind = kind
        self.key = key
        self.known = known
