"""Every code a rule refuses with has its text, and every text is said by some rule."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from avow.web.catalogue import SHARED, Catalogue

ROOT = Path(__file__).parents[2]
REGISTER = ("avow.register", "messages.toml")
SOURCES = {
    "avow_pledge": ["services/pledge"],
    "avow_evaluation": ["services/evaluation"],
}
ALL = ["services", "shared"]


def strings(*folders: str) -> Iterator[str]:
    """Every text constant in the code of these folders."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(str(v.value) if isinstance(v, ast.Constant) else "*" for v in node.values)


def refused_with(*folders: str) -> Iterator[tuple[str, str]]:
    """Every code given to `Refusal` or `require` as a constant, and where."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                place = {"Refusal": 0, "require": 1}.get(node.func.id)
                if place is None or len(node.args) <= place:
                    continue
                code = node.args[place]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value, f"{file.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("package", SOURCES)
def test_every_code_a_service_refuses_with_has_its_text(package: str) -> None:
    catalogue = Catalogue.load(SHARED, REGISTER, (package, "messages.toml"))
    found = list(refused_with(*SOURCES[package], "shared"))
    assert len(found) > 20
    assert [at for code, at in found if code not in catalogue] == []


@pytest.mark.parametrize("resource", [SHARED, REGISTER, *((package, "messages.toml") for package in SOURCES)])
def test_every_text_is_said_by_some_rule(resource: tuple[str, str]) -> None:
    said = set(strings(*ALL))
    families = {text.split("*")[0] for text in said if "*" in text and "." in text.split("*")[0]}
    unsaid = [
        code
        for code in Catalogue.load(resource)
        if code not in said and not any(code.startswith(family) for family in families)
    ]
    assert unsaid == []
