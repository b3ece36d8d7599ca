"""A finding: what an audit found wrong, where, and what to do about it.

Promises: the code is stable, the position is the first one concerned, and every code has its text in Chinese and
English with what to do next (tests/unit/audit/test_finding.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pydantic import JsonValue
from sqlalchemy.exc import DBAPIError

from avow.web.catalogue import Catalogue, Language, Message

MESSAGES = ("avow.audit", "messages.toml")
MOST = 20
"""How many findings of one check are listed; the others are only counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; `position` is in the log of the service that was checked, None where none is meant."""

    code: str
    position: int | None = None
    projection: str | None = None
    params: Mapping[str, JsonValue] = field(default_factory=dict)

    def message(self) -> Message:
        """What it means and what to do, in both languages."""
        return catalogue().message(self.code, {"position": self.position, "projection": self.projection, **self.params})

    def text(self, language: Language) -> str:
        """What was found, as one sentence."""
        message = self.message()
        return message.zh if language == "zh" else message.en

    def todo(self, language: Language) -> str:
        """What to do about it."""
        message = self.message()
        return message.todo_zh if language == "zh" else message.todo_en

    def as_json(self) -> dict[str, JsonValue]:
        """The finding as a program reads it, with the texts for people."""
        message = self.message()
        return {
            "code": self.code,
            "position": self.position,
            "projection": self.projection,
            "params": dict(self.params),
            "zh": message.zh,
            "en": message.en,
            "todo_zh": message.todo_zh,
            "todo_en": message.todo_en,
        }


class Findings:
    """What one check found so far: the first `MOST`, and how many there are."""

    def __init__(self) -> None:
        self.listed: list[Finding] = []
        self.count = 0

    def add(self, finding: Finding) -> None:
        self.count += 1
        if len(self.listed) < MOST:
            self.listed.append(finding)


def unreadable(error: DBAPIError, position: int | None = None, projection: str | None = None) -> Finding:
    """The finding that the database could not be read, from `position` on where one is known."""
    # SQLite quotes the text it could not decode.
    reason = str(error.orig).partition("\n")[0].partition(" with text ")[0]
    return Finding("database.unreadable", position, projection, {"reason": reason})


@cache
def catalogue() -> Catalogue:
    """The texts of every finding."""
    return Catalogue.load(MESSAGES)
