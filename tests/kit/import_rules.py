"""The import-linter contract `only`: a list of what may be imported instead of a list of what may not.

A forbidden list forgets the library that somebody adds next year; this one has to be told of it. It looks at direct
imports, those under `TYPE_CHECKING` included; it cannot see `importlib.import_module` with a computed name.
"""

import sys
from collections.abc import Iterable
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """Keeps the packages in `modules` to the standard library less `refused`, and to the packages in `allowed`."""

    modules = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())
    refused = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        options: dict[str, Any] = self.contract_options
        refused = set(options.get("refused", ()))
        standard_library = sys.stdlib_module_names - refused
        strays: list[str] = []
        for package in options["modules"]:
            importers = [name for name in graph.modules if _within(name, [package])]
            if not importers:
                strays.append(f"{package} does not exist, so this contract would guard nothing")
            strays.extend(
                f"{importer} imports {imported} (line {_line(graph, importer, imported)})"
                for importer in sorted(importers)
                for imported in sorted(graph.find_modules_directly_imported_by(importer))
                if not _within(imported, options["allowed"]) and imported.partition(".")[0] not in standard_library
            )
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for stray in check.metadata["strays"]:
            output.print_error(f"  {stray}", bold=False)
        output.new_line()


def _within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _line(graph: ImportGraph, importer: str, imported: str) -> int:
    details = graph.get_import_details(importer=importer, imported=imported)
    return min((detail["line_number"] for detail in details), default=0)
