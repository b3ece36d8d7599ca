"""Watching the database: every statement that touches a table of an organisation has to name one, and only one."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

_NOT_ABOUT_ROWS = (
    "CREATE",
    "DROP",
    "PRAGMA",
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
    "BEGIN",
    "COMMIT",
    "SELECT pg_catalog.",
)
_CONDITION = re.compile(r"\borg\"?\s*=\s*")
_NAMES_ALONE = re.compile(
    r"SELECT log_head\.org(, log_head\.service)?\s+FROM log_head(\s+WHERE log_head\.clock = [^\n]+?)?"
    r"(\s+ORDER BY log_head\.org)?"
)
"""Who has a book here: the one question that is about every organisation."""


@dataclass
class Watch:
    """What was executed, and what of it did not keep to one organisation."""

    tables: Collection[str]
    orgs: Collection[str]
    seen: dict[str, set[str]] = field(default_factory=dict)
    """Which organisations' rows of each table were touched."""
    statements: int = 0
    strays: list[str] = field(default_factory=list)
    judged: dict[str, tuple[set[str], str | None]] = field(default_factory=dict)

    def look(self, statement: str, parameters: Any) -> None:
        touched, fault = self._judged(statement)
        if not touched:
            return
        self.statements += 1
        bound = {value for value in _flat(parameters) if value in self.orgs}
        if len(bound) != 1:
            self.strays.append(f"{sorted(bound)} in {statement}")
        for name in touched:
            self.seen.setdefault(name, set()).update(bound)
        if fault is not None:
            self.strays.append(fault)

    def _judged(self, statement: str) -> tuple[set[str], str | None]:
        """The tables a statement touches rows of, and what is wrong with its text; each text is looked at once."""
        known = self.judged.get(statement)
        if known is None:
            known = self.judged[statement] = self._judge(statement.strip())
        return known

    def _judge(self, text: str) -> tuple[set[str], str | None]:
        touched = {name for name in self.tables if re.search(rf"\b{name}\b", text)}
        if not touched or text.startswith(_NOT_ABOUT_ROWS) or _NAMES_ALONE.fullmatch(text):
            return set(), None
        read = sum(len(re.findall(rf"\b(?:FROM|JOIN|UPDATE)\s+\"?{name}\b", text)) for name in touched)
        if read and len(_CONDITION.findall(text)) < max(read, len(touched - _written(text, touched))):
            return touched, f"too few conditions in {text}"
        return touched, None


def _written(text: str, touched: Iterable[str]) -> set[str]:
    return {name for name in touched if re.search(rf"INTO\s+\"?{name}\b", text)}


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _flat(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _flat(one)


@contextmanager
def watching(tables: Collection[str], orgs: Collection[str]) -> Iterator[Watch]:
    """Look at every statement of every database until the block ends."""
    watch = Watch(tables, orgs)

    def look(_c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        watch.look(statement, parameters)

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield watch
    finally:
        event.remove(Engine, "before_cursor_execute", look)
