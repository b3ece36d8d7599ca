"""Message catalogues: the text of every code, in Chinese and English, with what to do next.

Promises: a catalogue that loads is complete (both languages, what to do, the same plain placeholders in each) and has
no code twice; filling a text never fails, whatever the parameters (tests/unit/web/test_catalogue.py).
Limit: that a service's catalogue has every code its domain raises is for that service's tests to show.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

Language = Literal["zh", "en"]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
Text = Annotated[str, StringConstraints(min_length=1)]

SHARED = ("avow.web", "messages.toml")
"""The codes of the shared runtime."""

REFUSED = "request.refused"
_LONGEST_VALUE = 200


class Phrase(BaseModel):
    """A text in both languages; `{name}` stands for a parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: Text
    en: Text

    @model_validator(mode="after")
    def _same_placeholders(self) -> Self:
        texts: dict[str, str] = dict(self.model_dump(include={"zh", "en", "todo_zh", "todo_en"}))
        for zh, en in (("zh", "en"), ("todo_zh", "todo_en")):
            if placeholders(texts.get(zh, "")) != placeholders(texts.get(en, "")):
                raise ValueError(f"{zh} and {en} name different parameters")
        return self

    def filled(self, params: Mapping[str, object]) -> Self:
        """The same with its parameters in place; one that is missing shows as its name."""
        return self.model_copy(
            update={name: _fill(text, params) for name, text in self if isinstance(text, str)},
        )


class Message(Phrase):
    """What a code says to people, and its HTTP status; `retry_after` is in seconds."""

    status: Annotated[int, Field(ge=400, le=599)] = 409
    todo_zh: Text
    todo_en: Text
    retry_after: Annotated[int, Field(ge=1)] | None = None


class Catalogue:
    """The messages of a service by code."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        self._messages = dict(messages)

    @classmethod
    def load(cls, *resources: tuple[str, str]) -> Self:
        """Read and merge TOML files, each named by package and path; ValueError for a code that is there twice."""
        messages: dict[str, Message] = {}
        for package, path in resources:
            read = _messages.validate_python(tomllib.loads(files(package).joinpath(path).read_text("utf-8")))
            if twice := messages.keys() & read.keys():
                raise ValueError(f"{package}/{path} repeats {', '.join(sorted(twice))}")
            messages |= read
        return cls(messages)

    def __contains__(self, code: object) -> bool:
        return code in self._messages

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def message(self, code: str, params: Mapping[str, object] | None = None) -> Message:
        """The message of `code`, filled; a code without one gets the text of `request.refused`."""
        message = self._messages.get(code) or self._messages[REFUSED]
        return message.filled({"code": code, **(params or {})})


_messages = TypeAdapter(dict[Code, Message])
_phrases = TypeAdapter(dict[str, dict[str, Phrase]])


@cache
def phrases(table: str) -> Mapping[str, Phrase]:
    """A table of `phrases.toml`: `title` by HTTP status, `invalid` by the validator's error type."""
    return _phrases.validate_python(tomllib.loads(files("avow.web").joinpath("phrases.toml").read_text("utf-8")))[table]


def placeholders(template: str) -> set[str]:
    """The parameters a template names; ValueError for anything but plain names, so that no attribute is ever read."""
    names = set()
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if spec or conversion or not re.fullmatch(r"[a-z_]+", name):
            raise ValueError(f"not a plain placeholder in {template!r}")
        names.add(name)
    return names


def shown(value: object) -> str:
    """A value as a text may show it: short, and encodable whatever it held."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)
    return text[:_LONGEST_VALUE].encode("utf-8", "replace").decode()


def preferred_language(accept_language: str | None) -> Language:
    """The better liked of Chinese and English by an Accept-Language header (RFC 9110, 12.5.4); Chinese by default."""
    weights = {"zh": 0.0, "en": 0.0}
    for part in (accept_language or "").split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", parameter)
        if language in weights:
            weights[language] = max(weights[language], float(weight[1]) if weight else 1.0)
    return "en" if weights["en"] > weights["zh"] else "zh"


class _Shown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _fill(template: str, params: Mapping[str, object]) -> str:
    return template.format_map(_Shown({name: shown(value) for name, value in params.items()}))
