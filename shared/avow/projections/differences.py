"""What changed in a view between two days: rows added, removed and changed, by their keys and field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from avow.projections.projection import ViewTable
from avow.projections.replay import Replay


@dataclass(frozen=True)
class Change:
    """A row that differs: its key, and of each field that does what it was and what it is."""

    kind: Literal["added", "removed", "changed"]
    table: str
    key: dict[str, Any]
    fields: dict[str, tuple[Any, Any]]


def differences(before: Replay, after: Replay) -> Iterator[Change]:
    """Every change from one replay of a projection to another, table by table in the order of the keys."""
    for view in after.projection.tables:
        yield from _of_table(view, _by_key(view, before), _by_key(view, after))


def _by_key(view: ViewTable, replay: Replay) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in view.keys): row for row in replay.rows(view)}


def _of_table(view: ViewTable, before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> Iterator[Change]:
    nothing = dict.fromkeys(view.defaults)
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, nothing), after.get(key, nothing)
        fields = {name: (was[name], now[name]) for name in view.defaults if was[name] != now[name]}
        kind: Literal["added", "removed", "changed"] = (
            "added" if key not in before else "removed" if key not in after else "changed"
        )
        if fields:
            others = {name: pair for name, pair in fields.items() if name not in view.keys}
            yield Change(kind, view.name, dict(zip(view.keys, key, strict=True)), others)
