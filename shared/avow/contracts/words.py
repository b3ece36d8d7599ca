"""What public events, their fields and the envelope's attributes mean, in Chinese and English: `words.toml`.

Promises: everything in the catalogue has its words, and no word stands there for what is gone
(tests/unit/contracts/test_words.py).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from inspect import cleandoc
from typing import Any

from avow.kernel.message import Event


class Unsaid(LookupError):
    """Something a subscriber meets has no words in `words.toml`."""


@dataclass(frozen=True)
class Words:
    """A text in both languages; what stands between backquotes is code."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.en} / {self.zh}"


@dataclass(frozen=True)
class EventWords(Words):
    """What an event is called, and what it says has happened."""

    name: Words


@cache
def all_words() -> Mapping[str, Mapping[str, Any]]:
    """The tables of `words.toml`: `event`, `field`, `kind`, `envelope`."""
    return tomllib.loads(files("avow.contracts").joinpath("words.toml").read_text("utf-8"))


def of_event(event: type[Event]) -> EventWords | None:
    """The words of an event, in English its docstring; None where it has none."""
    said = all_words()["event"].get(event.type)
    if said is None:
        return None
    spoken = event.type.replace(".", " ").replace("_", " ").capitalize()
    return EventWords(said["zh"], cleandoc(event.__doc__ or ""), Words(said["name"], spoken))


def of_field(owner: str, name: str) -> Words | None:
    """The words of a field of an event type, or of a value inside one; None where it has none."""
    said = all_words()["field"].get(f"{owner}.{name}") or all_words()["field"].get(name)
    return None if said is None else Words(**said)


def of_kind(kind: str) -> Words:
    """What a kind of value is called."""
    return Words(**all_words()["kind"][kind])


def of_attribute(name: str) -> Words:
    """What an attribute of the envelope says."""
    return Words(**all_words()["envelope"][name])
