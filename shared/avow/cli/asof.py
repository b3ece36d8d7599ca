"""`avow asof`, `avow diff`: a view as it stood on any day, and what changed in it between two.

Names and prose are opened with today's keys: whoever was erased since stays erased.
"""

import asyncio
import csv
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.markup import escape
from rich.table import Table

from avow.cli.databases import opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.cli.shown import Opened, as_json, as_text
from avow.cli.views import Bar, Chosen, Org, Service, chosen, one_book, refused
from avow.eventlog.database import Database
from avow.eventlog.seals import open_seals
from avow.eventlog.types import EventTypes
from avow.kernel.ports import Ports
from avow.kernel.refusal import Refusal
from avow.kernel.seal import Seal
from avow.projections.asof import Asked, Cut, cut
from avow.projections.differences import Change, differences
from avow.projections.folding import CannotFold
from avow.projections.replay import Replay, replay
from avow.service.settings import Settings

FEW = 20
WIDEST, LONGEST = 7, 160
DAY = "一天（北京时间当天结束时）或带时区的时刻 / a day (its end in Beijing time) or a moment with its zone"
Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]
Name = Annotated[str, typer.Argument(help="视图 / the view, such as pledge_wall")]


@dataclass(frozen=True)
class Then:
    """A view as it stood: where the log was cut, and the rows."""

    org: str
    asked: Asked
    where: Cut
    replay: Replay

    def as_json(self) -> dict[str, JsonValue]:
        return {"at": self.asked.as_of, "known": self.asked.known_at, "position": self.where.position}


def asof(
    name: Name,
    at: Annotated[str | None, typer.Option(help=f"哪天的情形 / as things stood: {DAY}")] = None,
    known: Annotated[str | None, typer.Option(help="只凭当时已记录的 / only what was recorded by then")] = None,
    data: Data = None,
    service: Service = None,
    org: Org = None,
    table: Annotated[str | None, typer.Option(help="只看一个表 / one table only")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="每表最多几行 / the most rows of each table")] = None,
    json_: Json = False,
    csv_: Annotated[bool, typer.Option("--csv", help="以 CSV 输出一个表 / print one table as CSV")] = False,
) -> None:
    """看任何一天的任何视图。 Show a view as it stood on any day, as known on any day."""
    view = chosen(name, service)
    tables = [one for one in view.projection.tables if table in (None, one.name)]
    if not tables:
        known_ones = ", ".join(one.name for one in view.projection.tables)
        fail(
            f"视图 {name} 没有表 {table}。现有：{known_ones}。",
            f"{name} has no table {table}. There are: {known_ones}.",
        )
    (then,), seals = _look(data, view, org, [Asked(at, known)])
    rows = {one.name: then.replay.rows(one) for one in tables}
    if csv_:
        _print_csv(rows[tables[0].name][:limit], list(tables[0].defaults), seals)
    elif json_:
        said = {
            name: {
                "rows": len(found),
                "items": [{k: as_json(v, seals) for k, v in row.items()} for row in found[:limit]],
            }
            for name, found in rows.items()
        }
        _print_json({"service": view.service, "org": then.org, "projection": name, **then.as_json(), "tables": said})
    else:
        for one in tables:
            _print_table(one.name, list(one.defaults), rows[one.name], limit or FEW, seals)
        out.print(f"{then.org}：日志至位置 {then.where.position}。 The log up to position {then.where.position}.")


def diff(
    name: Name,
    from_: Annotated[str | None, typer.Option("--from", help=f"从哪天的情形 / from how things stood: {DAY}")] = None,
    to: Annotated[str | None, typer.Option("--to", help="到哪天的情形；不填为现在 / to how they stood; now")] = None,
    from_known: Annotated[str | None, typer.Option(help="从哪天所知 / from what was recorded by then")] = None,
    to_known: Annotated[
        str | None, typer.Option(help="到哪天所知；不填为现在 / to what was recorded by then; now")
    ] = None,
    data: Data = None,
    service: Service = None,
    org: Org = None,
    json_: Json = False,
) -> None:
    """说明一个视图在两个日期之间的增删改。 Say what was added, removed and changed in a view between two dates."""
    if from_ is None and from_known is None:
        fail("请用 --from 或 --from-known 指明从哪天起。", "Say from which date, with --from or --from-known.")
    view = chosen(name, service)
    (before, after), seals = _look(data, view, org, [Asked(from_, from_known), Asked(to, to_known)])
    changes = list(differences(before.replay, after.replay))
    if json_:
        said = [_change_as_json(change, seals) for change in changes]
        head = {"service": view.service, "org": after.org, "projection": name}
        _print_json({**head, "from": before.as_json(), "to": after.as_json(), "changes": said})
        return
    for change in changes:
        _tell(change, seals)
    added, removed, changed = (sum(c.kind == kind for c in changes) for kind in ("added", "removed", "changed"))
    out.print(f"{after.org} {name}：新增 {added}，删除 {removed}，改动 {changed}。", soft_wrap=True)
    out.print(f"  {added} added, {removed} removed, {changed} changed.", soft_wrap=True)


def _look(data: Path | None, view: Chosen, org: str | None, asked: list[Asked]) -> tuple[list[Then], Opened]:
    settings = read_settings(data=data)
    require_databases(settings, [view.service])
    with needing_the_databases():
        try:
            return asyncio.run(_replays(settings, view, org, asked))
        except Refusal as refusal:
            refused(refusal)


async def _replays(
    settings: Settings, view: Chosen, org: str | None, asked: Iterable[Asked]
) -> tuple[list[Then], Opened]:
    types, now = EventTypes(view.blueprint.event_types), Ports().clock.now()
    async with AsyncExitStack() as stack:
        database = (await opened(stack, settings, [view.service]))[view.service]
        book = await one_book(database, org)
        bar = stack.enter_context(Bar(f"重放 / replaying {view.projection.name}"))
        found = []
        for n, one in enumerate(asked, 1):
            where = await database.read(partial(cut, org=book, asked=one, now=now))
            told = partial(bar, str(n))
            try:
                folded = await replay(database, book, view.projection, types, where.position, where.as_of, told)
            except CannotFold as error:
                raise Refusal("as_of.cannot_fold", projection=error.projection, position=error.position) from error
            where.require_begun(folded.events)
            found.append(Then(book, one, where, folded))
        return found, await _opened(database, book, found)


async def _opened(database: Database, org: str, found: Iterable[Then]) -> dict[Seal, JsonValue]:
    seals = {seal for then in found for seal in then.replay.seals()}
    return await database.read(lambda connection: open_seals(connection, org, seals))


def _print_json(said: Mapping[str, object]) -> None:
    out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)


def _print_csv(rows: list[dict[str, Any]], names: list[str], seals: Opened) -> None:
    # With a byte order mark, by which Excel knows the Chinese in it.
    sys.stdout.write("\ufeff")
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([as_text(row[name], seals, none="") for name in names] for row in rows)


def _print_table(title: str, names: list[str], rows: list[dict[str, Any]], limit: int, seals: Opened) -> None:
    out.print(f"[bold]{title}[/bold]（{len(rows)} 行 rows）")
    if len(names) <= WIDEST:
        table = Table(*names, box=None, padding=(0, 2, 0, 0))
        for row in rows[:limit]:
            table.add_row(*(escape(as_text(row[name], seals)) for name in names))
        out.print(table)
    else:
        for row in rows[:limit]:
            _print_wide(names, row, seals)
    if len(rows) > limit:
        out.print(f"  只列出前 {limit} 行；--limit 可改。 The first {limit} only; --limit shows more.")


def _print_wide(names: list[str], row: dict[str, Any], seals: Opened) -> None:
    """A row with more columns than fit beside each other: a line each, those that say nothing left out."""
    said = {name: as_text(row[name], seals) for name in names if row[name] is not None}
    for name, value in said.items():
        short = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
        out.print(f"  [dim]{name}[/dim]  {escape(short)}", soft_wrap=True)
    out.print()


_WORDS = {
    "added": ("[green]+[/green]", "新增"),
    "removed": ("[red]-[/red]", "删除"),
    "changed": ("[yellow]~[/yellow]", "改动"),
}


def _tell(change: Change, seals: Opened) -> None:
    mark, word = _WORDS[change.kind]
    key = "  ".join(f"{name}={as_text(value, seals)}" for name, value in change.key.items())
    out.print(f"{mark} {word} {change.kind}  {change.table}  {escape(key)}", soft_wrap=True)
    for name, (was, now) in change.fields.items():
        old, new = escape(as_text(was, seals)), escape(as_text(now, seals))
        said = {
            "added": f"{name}：{new}",
            "removed": f"{name}：{old}",
            "changed": f"{name}：由 from {old} 变为 to {new}",
        }[change.kind]
        out.print(f"    {said}", soft_wrap=True)


def _change_as_json(change: Change, seals: Opened) -> dict[str, object]:
    fields = {
        name: {"from": as_json(was, seals), "to": as_json(now, seals)} for name, (was, now) in change.fields.items()
    }
    key = {name: as_json(value, seals) for name, value in change.key.items()}
    return {"kind": change.kind, "table": change.table, "key": key, "fields": fields}
