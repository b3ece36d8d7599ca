"""Shipped templates with something changed, and what the reader says of them."""

import re

import pytest
from pydantic import JsonValue

from avow.programme import TemplateError, from_data, load, parse


def refusal(*changes: tuple[str, JsonValue], of: str = "cxzy-2010") -> dict[str, str]:
    """What is wrong, by path, after each value is put at its path."""
    data = load(of).model_dump(mode="json")
    for path, value in changes:
        put(data, path, value)
    with pytest.raises(TemplateError) as caught:
        from_data(data)
    return _by_path(caught.value)


def refusal_of(text: str) -> dict[str, str]:
    """What is wrong with a text, by path."""
    with pytest.raises(TemplateError) as caught:
        parse(text)
    return _by_path(caught.value)


def _by_path(error: TemplateError) -> dict[str, str]:
    assert str(error) == "\n".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    assert error.path == error.problems[0].path
    return {problem.path: problem.message for problem in error.problems}


def put(data: JsonValue, path: str, value: JsonValue) -> None:
    """Set the value at a path such as `roles[2].sits_in[0]`."""
    *way, last = (int(step) if step.isdigit() else step for step in re.findall(r"\w+", path))
    for step in way:
        data = data[step]  # type: ignore[index]
    data[last] = value  # type: ignore[index]
