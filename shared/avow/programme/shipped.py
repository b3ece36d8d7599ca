"""Reading templates: those that come with the package, and any text in the same form.

A shipped template is one YAML document, kept in chapters: the files of the folder that bears its key. Promises: no
other module of the package reads a file. A text is read as plain data: no tags that build objects, no aliases that
expand, no key given twice.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import yaml
from pydantic import ValidationError

from avow.programme.errors import Problem, TemplateError, UnknownTemplate
from avow.programme.template import ProgrammeTemplate

_TEMPLATES = files("avow.programme").joinpath("templates")


def available() -> tuple[str, ...]:
    """The keys of the shipped templates, in alphabetical order."""
    return tuple(sorted(folder.name for folder in _TEMPLATES.iterdir() if folder.is_dir()))


@cache
def load(key: str) -> ProgrammeTemplate:
    """The shipped template of that key; UnknownTemplate where none is shipped."""
    known = available()
    if key not in known:
        raise UnknownTemplate(key, known)
    chapters = sorted(_TEMPLATES.joinpath(key).iterdir(), key=lambda chapter: chapter.name)
    return parse("\n".join(chapter.read_text(encoding="utf-8") for chapter in chapters))


def parse(text: str) -> ProgrammeTemplate:
    """The template a YAML text describes; TemplateError names every fault with its path, or the line it is in."""
    return from_data(_plain_data(text))


def from_data(data: object) -> ProgrammeTemplate:
    """The template that plain data describes, such as a JSON body; TemplateError names every fault with its path."""
    try:
        template = ProgrammeTemplate.model_validate(data)
    except ValidationError as invalid:
        raise TemplateError(_problems(invalid, data)) from None
    try:
        ZoneInfo(template.time_zone)
    except (OSError, LookupError, ValueError):
        raise TemplateError([Problem("time_zone", f"{template.time_zone!r} is no time zone")]) from None
    return template


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases, which a short text can expand to any length, and without repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=alias.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _plain_data(text: str) -> object:
    try:
        loader = _PlainLoader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as unreadable:
        mark = unreadable.problem_mark or unreadable.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "text"
        raise TemplateError([Problem(where, unreadable.problem or unreadable.context or "is no YAML")]) from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as unreadable:
        # Some are what the loader lets through: ValueError for 2010-02-30, LookupError and AttributeError for tags that
        # belie their value.
        raise TemplateError([Problem("text", f"cannot be read: {unreadable}")]) from None


def _problems(invalid: ValidationError, data: object) -> Iterator[Problem]:
    errors = invalid.errors(include_url=False)
    for error in errors:
        location, cause = error["loc"], error.get("ctx", {}).get("error")
        if isinstance(cause, TemplateError):
            yield from cause.problems
        # A list is also called too short when each of its entries is refused; that would send the reader astray.
        elif error["type"] != "too_short" or not any(_within(other["loc"], location) for other in errors):
            yield Problem(_path(location, data) or "template", str(cause or error["msg"]))


def _within(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _path(location: tuple[int | str, ...], data: object) -> str:
    """The location as the text has it: pydantic also names the branch of a union, which is no field there."""
    path = ""
    for n, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
            data = data[step] if isinstance(data, list) and step < len(data) else None
        elif isinstance(data, dict) and (step in data or n == len(location) - 1):
            path += f".{step}" if path else step
            data = data.get(step)
    return path
