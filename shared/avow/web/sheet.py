"""Lists as CSV, which Excel and WPS open and a program reads back (RFC 4180, UTF-8 with a byte order mark).

Promises: the first line holds the field names, a second one the Chinese headings where they are asked for; what is null
is an empty cell, an empty text is `""`; a value of several fields takes a column each (`title.zh`), a list or a free
mapping one cell of JSON. A text that a spreadsheet could take for a formula begins with `'`, as does one that begins
with `'` itself, so that taking one away gives every text back (tests/unit/web/test_sheet.py).
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

BOM = "\ufeff"
_FORMULA = tuple("=+-@＝＋－＠'\t\r\n")
Path = tuple[str, ...]


@cache
def columns_of(entry: type[BaseModel]) -> tuple[Path, ...]:
    """The columns of a list's entries, each the way to its value."""
    found: list[Path] = []
    for name, field in entry.model_fields.items():
        inner = _model(field.annotation)
        found += [(name, *path) for path in columns_of(inner)] if inner else [(name,)]
    return tuple(found)


def head(entry: type[BaseModel], headings: bool) -> str:
    """The line of field names, and the one of headings where it is asked for."""
    columns = columns_of(entry)
    lines = [_line([".".join(path) for path in columns])]
    if headings:
        known = chinese()
        lines.append(_line(["·".join(known[part] for part in path) for path in columns]))
    return BOM + "".join(lines)


def lines(entry: type[BaseModel], entries: Iterable[BaseModel]) -> str:
    """A line for each entry."""
    columns = columns_of(entry)
    return "".join(_line([_cell(_at(one.model_dump(), path)) for path in columns]) for one in entries)


@cache
def chinese() -> Mapping[str, str]:
    """The Chinese heading of each field."""
    return tomllib.loads(files("avow.web").joinpath("headings.toml").read_text("utf-8"))


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model a field holds, or may hold besides nothing."""
    either = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    kinds = [kind for kind in either if kind is not type(None)]
    only = kinds[0] if len(kinds) == 1 else None
    return only if isinstance(only, type) and issubclass(only, BaseModel) else None


def _at(value: Any, path: Path) -> Any:
    for name in path:
        value = None if value is None else value[name]
    return value


def _cell(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat().replace("+00:00", "Z")
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=_cell)
    return str(value)


def _line(cells: Sequence[str | None]) -> str:
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(cell: str | None) -> str:
    if cell is None:
        return ""
    return '"' + cell.replace('"', '""') + '"' if not cell or any(c in cell for c in '",\r\n') else cell
