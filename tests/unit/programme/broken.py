"""Shipped templates with one thing changed, as text, and what the reader says of them."""

import re
from copy import deepcopy

import pytest
import yaml
from avow.programme import TemplateError, load, parse
from pydantic import JsonValue


def refusal(*changes: tuple[str, JsonValue], of: str = "cxzy-2010") -> dict[str, str]:
    """What is wrong, by path, after each value is put at its path."""
    data = deepcopy(load(of).model_dump(mode="json"))
    for path, value in changes:
        put(data, path, value)
    return refusal_of(yaml.safe_dump(data, allow_unicode=True))


def refusal_of(text: str) -> dict[str, str]:
    """What is wrong with a text, by path."""
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert all(str(caught.value).count(f"{problem.path}: ") for problem in caught.value.problems)
    return {problem.path: problem.message for problem in caught.value.problems}


def put(data: JsonValue, path: str, value: JsonValue) -> None:
    """Set the value at a path such as `roles[2].sits_in[0]`; one past the end of a list appends."""
    *way, last = (int(step) if step.isdigit() else step for step in re.findall(r"\w+", path))
    for step in way:
        data = data[step]  # type: ignore[index]
    if isinstance(data, list) and isinstance(last, int) and last == len(data):
        data.append(value)
    else:
        data[last] = value  # type: ignore[index]
