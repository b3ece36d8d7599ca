"""`avow explain`: where a figure comes from, down to the events.

The exit status is the verdict: 0 every step comes out as it was stored, 1 one does not, 2 could not look.
"""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree
from sqlalchemy import Connection

from avow.audit.explanation import EventRef, Explainer, Explanation, Step
from avow.cli.databases import has_a_log, opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.eventlog import reading
from avow.service.hosting import installed
from avow.service.settings import Settings

SHOWN = 12
"""How many events of a kind are listed below one figure."""
WIDE = 240
"""The longest line where there is no terminal to say."""

explain = typer.Typer(name="explain", no_args_is_help=True)


@explain.callback()
def kinds() -> None:
    """一个数字从何而来，一直追到事件。 Where a figure comes from, down to the events."""


@explain.command()
def score(
    id_: Annotated[str, typer.Argument(metavar="ID", help="考核编号 / id of the assessment")],
    data: Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")] = None,
    org: Annotated[str | None, typer.Option(help="只查一个组织 / one organisation only")] = None,
    all_: Annotated[bool, typer.Option("--all", help="逐一列出每个事件 / list every single event")] = False,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """从总分到各项、计数、每个事件，逐步重算。 From a score to its parts, counts and events, each computed again."""
    settings = read_settings(data=data)
    services = [name for name, entry in installed().items() if "score" in entry.blueprint.explainers]
    require_databases(settings, services)
    with needing_the_databases():
        explained = asyncio.run(_explained(settings, "score", org, id_))
    if explained is None:
        fail(f"没有编号为 {id_} 的考核。", f"There is no assessment {id_}. `GET /<org>/assessments` lists them.")
    if json_:
        out.print(json.dumps(as_json(explained), ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        tree = tree_of(explained.tree, ZoneInfo(explained.time_zone), None if all_ else SHOWN)
        # One line a step: cut at the edge of a terminal, whole in a file.
        wide = out if out.is_terminal else Console(file=out.file, width=WIDE, highlight=False)
        wide.print(tree, no_wrap=True, overflow="ellipsis")
        if explained.agrees:
            out.print("[green]✓ 逐步重算一致。[/green]  Every step comes out as it was stored.")
        else:
            out.print("[red]✗ 有一步重算不符：见上。[/red]  A step does not come out as it was stored: see above.")
    raise typer.Exit(0 if explained.agrees else 1)


def as_json(explained: Explanation) -> dict[str, Any]:
    """The explanation as JSON, in the shape its route answers with."""
    return explained.model_dump(mode="json")


def tree_of(step: Step, zone: ZoneInfo, most: int | None = None) -> Tree:
    """A step and all below it, Chinese first; of each kind of event `most` are shown, and how many more there are."""
    tree = Tree(_line(step, zone), guide_style="dim")
    seen: Counter[str] = Counter()
    for below in step.steps:
        if below.event is not None and not below.steps:
            seen[below.event.type] += 1
            if most is not None and seen[below.event.type] > most:
                continue
        tree.children.append(tree_of(below, zone, most))
    for kind, number in seen.items():
        if most is not None and number > most:
            more = number - most
            tree.add(f"另有 {more} 项 [dim]and {more} more[/dim]：--all  [dim]{kind}[/dim]")
    return tree


def _line(step: Step, zone: ZoneInfo) -> str:
    said = f"{escape(step.what.zh)} [dim]{escape(step.what.en)}[/dim]"
    if step.stored is not None or step.computed is not None:
        if step.stored == step.computed:
            said += f"  [bold]{step.stored}[/bold] [green]✓[/green]"
        else:
            said += f"  [bold]{step.stored}[/bold] [red]✗ 重算 recomputed {step.computed}[/red]"
    return said if step.event is None else f"{said}  {_ref(step.event, zone)}"


def _ref(ref: EventRef, zone: ZoneInfo) -> str:
    """Where an event stands, when it happened and when it was recorded, and the log it came from."""
    occurred, recorded = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (ref.occurred_at, ref.recorded_at))
    source = "" if ref.source is None else f"  导入自 from {ref.source[:8]}"
    return f"[dim]#{ref.position} {ref.event_id[:8]}  {occurred}，记录 recorded {recorded}{source}[/dim]"


async def _explained(settings: Settings, kind: str, org: str | None, id_: str) -> Explanation | None:
    async with AsyncExitStack() as stack:
        for name, entry in installed().items():
            explainer = entry.blueprint.explainers.get(kind)
            if explainer is None:
                continue
            database = (await opened(stack, settings, [name]))[name]
            found = await database.read(partial(_look, ask=explainer, org=org, id_=id_))
            if found is not None:
                return found
    return None


def _look(connection: Connection, ask: Explainer, org: str | None, id_: str) -> Explanation | None:
    if not has_a_log(connection):
        return None
    orgs = [known for known in reading.organisations(connection) if org in (None, known)]
    return next((found for known in orgs if (found := ask(connection, known, id_)) is not None), None)
