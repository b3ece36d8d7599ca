"""Every refusal of the pledge service says what happened and what to do, in both languages."""

import ast
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import avow.programme.choice
import avow.register.reading
import avow_pledge
from avow.web.catalogue import SHARED, Catalogue, placeholders

OWN = [("avow.register", "messages.toml"), ("avow_pledge", "messages.toml")]
CATALOGUE = Catalogue.load(SHARED, *OWN)
SOURCES = [
    *Path(avow_pledge.__path__[0]).rglob("*.py"),
    *(Path(str(module.__file__)) for module in (avow.programme.choice, avow.register.reading)),
]
STANDINGS = {f"pledge.not_{status}" for status in ("drafted", "submitted", "approved")}
"""The codes that are made up of where a pledge stands."""
OF_A_PERSON = {"person.unknown", "actor.unknown"}
"""The codes that asking for a person is told to refuse with."""


def refusals() -> Iterator[tuple[str, set[str]]]:
    """Each code that the source refuses with, and the parameters it is given there."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("require", "Refusal")
            ):
                code = node.args[1 if node.func.id == "require" else 0]
                names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
                if isinstance(code, ast.Constant):
                    yield str(code.value), names
                else:
                    yield from (
                        (each, names) for each in (STANDINGS if isinstance(code, ast.JoinedStr) else OF_A_PERSON)
                    )


def test_every_code_the_service_refuses_with_has_its_message() -> None:
    codes = {code for code, _ in refusals()}
    assert {"pledge.item_incomplete", "unit.parent_kind", "actor.unknown", "programme.unknown_key"} < codes
    assert codes <= set(CATALOGUE)


def test_every_message_is_of_use_and_is_given_the_parameters_it_names() -> None:
    given: dict[str, set[str]] = {}
    for code, names in refusals():
        given[code] = given.get(code, names) & names
    for package, path in OWN:
        for code, message in tomllib.loads(files(package).joinpath(path).read_text("utf-8")).items():
            named = set().union(*(placeholders(text) for text in message.values() if isinstance(text, str)))
            assert code in given or package != "avow_pledge"
            assert named <= given.get(code, named), code
