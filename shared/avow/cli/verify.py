"""`avow verify`: was anything altered? The exit status is the verdict: 0 nothing, 1 something, 2 could not look."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from avow.audit.projections import ProjectionVerdict
from avow.audit.rows import books
from avow.audit.verify import PairVerdict, Side, verify_pair
from avow.cli.databases import has_a_log, opened, require_databases
from avow.cli.output import err, fail, needing_the_databases, out, read_settings
from avow.eventlog.database import Database
from avow.eventlog.types import EventTypes
from avow.service.hosting import installed
from avow.service.settings import Settings


def verify(
    data: Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")] = None,
    org: Annotated[str | None, typer.Option(help="只查一个组织 / one organisation only")] = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """重算每一条记录、每一张视图，并与对方比对。 Recompute every leaf, chain and view, and compare the two services."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases():
        verdicts = asyncio.run(_verify(settings, org))
    if not verdicts:
        fail("没有可核验的账本。", "There is no book to verify. Check --data and --org, or AVOW_DATA.")
    ok = all(verdict.ok for verdict in verdicts)
    if json_:
        said = {"ok": ok, "organisations": [verdict.as_json() for verdict in verdicts]}
        out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        for verdict in verdicts:
            tell(verdict)
    raise typer.Exit(0 if ok else 1)


def tell(verdict: PairVerdict) -> None:
    """The verdict in both languages: what was checked, then what was found and what to do."""
    table = Table("", "服务 service", "核验 checked", "结果 result", box=None, padding=(0, 2, 0, 0))
    for side in verdict.sides:
        log = side.log
        table.add_row(_mark(log.ok), log.service, "日志 log", f"{log.events} 条 events  {log.hash[:12]}…")
        for projection in side.projections:
            what = f"{projection.name} v{projection.version}"
            table.add_row(_mark(projection.ok), "", what, _checksums(projection))
    for imports in verdict.imports:
        count = f"{imports.imported}/{imports.at_source} 条 events"
        table.add_row(_mark(imports.ok), imports.importer, f"副本 copy of {imports.source}", count)
    out.print(table)
    for finding in verdict.findings:
        out.print(f"[red]✗ {finding.code}[/red]  {finding.text('zh')}{finding.todo('zh')}", soft_wrap=True)
        out.print(f"  {finding.text('en')} {finding.todo('en')}", soft_wrap=True)
    if verdict.ok:
        out.print("[green]✓ 核验通过：没有任何改动。[/green]  Verified: nothing was altered.")
    else:
        out.print("[red]✗ 核验不通过：见上。[/red]  Not verified: see above.")


async def examine(databases: dict[str, Database], org: str | None) -> list[PairVerdict]:
    """The verdict on every organisation's books, or on one's."""
    sides = []
    for name, entry in installed().items():
        blueprint = entry.blueprint
        sides.append(Side(databases[name], blueprint.projections, EventTypes(blueprint.event_types)))
    first, second = sides
    orgs = [known for known in await _organisations(databases.values()) if org in (None, known)]
    columns = (TextColumn("核验 / verifying {task.description}"), BarColumn(), TimeElapsedColumn())
    verdicts = []
    with Progress(*columns, console=err, transient=True) as bar:
        for known in orgs:
            task = bar.add_task(known, total=None)
            verdicts.append(await verify_pair(known, first, second, partial(_advance, bar, task)))
    return verdicts


def _advance(bar: Progress, task: TaskID, done: int, of: int) -> None:
    bar.update(task, completed=done, total=of)


async def _verify(settings: Settings, org: str | None) -> Sequence[PairVerdict]:
    async with AsyncExitStack() as stack:
        return await examine(await opened(stack, settings, installed()), org)


async def _organisations(databases: Iterable[Database]) -> list[str]:
    found: set[str] = set()
    for database in databases:
        if await database.read(has_a_log):
            found.update(await database.read(books))
    return sorted(found)


def _checksums(projection: ProjectionVerdict) -> str:
    live, replayed = projection.checksum_live, projection.checksum_replayed
    if live is None or live != replayed:
        return "重放不符 differs"
    return f"重放一致 replayed  {live[:12]}…"


def _mark(ok: bool) -> str:
    return "[green]✓[/green]" if ok else "[red]✗[/red]"
