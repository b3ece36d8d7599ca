"""The contract `only` keeps a package to what it names."""

import pytest
from grimp import ImportGraph
from importlinter import ContractCheck

from tests.kit.import_rules import OnlyContract


def _check(*imports: tuple[str, str], refused: tuple[str, ...] = ()) -> ContractCheck:
    graph = ImportGraph()
    for line, (importer, imported) in enumerate(imports, start=1):
        graph.add_import(importer=importer, imported=imported, line_number=line, line_contents=f"import {imported}")
    options = {"modules": ["house.domain"], "allowed": ["house.domain", "house.kernel", "pydantic"]}
    return OnlyContract("rule", {}, {**options, "refused": list(refused)}).check(graph, verbose=False)


@pytest.mark.parametrize("imported", ["house.domain.round", "house.kernel", "house.kernel.ids", "pydantic", "datetime"])
def test_what_is_named_may_be_imported_and_so_may_the_standard_library(imported: str) -> None:
    assert _check(("house.domain.pledge", imported)).kept


@pytest.mark.parametrize("imported", ["house.eventlog", "house.kernel_of_another", "sqlalchemy"])
def test_anything_else_is_a_breach_that_says_where(imported: str) -> None:
    check = _check(("house.domain.pledge", "datetime"), ("house.domain.pledge", imported))
    assert not check.kept
    assert check.metadata["strays"] == [f"house.domain.pledge imports {imported} (line 2)"]


def test_a_refused_part_of_the_standard_library_is_a_breach() -> None:
    assert not _check(("house.domain.pledge", "random"), refused=("random",)).kept


def test_other_packages_are_none_of_its_business() -> None:
    assert _check(("house.domain.pledge", "datetime"), ("house.http.pledges", "sqlalchemy")).kept


def test_a_rule_for_a_package_that_does_not_exist_is_a_breach() -> None:
    check = _check(("house.http.pledges", "datetime"))
    assert check.metadata["strays"] == ["house.domain does not exist, so this contract would guard nothing"]
