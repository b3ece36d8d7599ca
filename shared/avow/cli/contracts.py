"""`avow contracts list`, `show TYPE`, `check module:handler`: what other teams are told, and a check of their handlers.

Promises: they read nothing but what is installed, so they work beside no service and no database.
"""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from avow.cli.output import fail, out
from avow.contracts.check import run
from avow.contracts.entries import Entry, entries

Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]

contracts = typer.Typer(
    name="contracts", help="公开事件的契约：目录、详情、检查。 Contracts of public events.", no_args_is_help=True
)


@contracts.command("list")
def list_(json_: Json = False) -> None:
    """列出公开事件。 List the public events."""
    said = entries()
    if json_:
        out.print_json(json.dumps([entry.as_json() for entry in said], ensure_ascii=False))
        return
    table = Table("类型\ntype", "名称\nname", "发布者\npublisher", "始于\nsince", "终止\nends", box=None)
    table.columns[0].no_wrap = True
    for entry in said:
        ends = "" if entry.ending is None else str(entry.ending.until)
        services = ", ".join(entry.services)
        table.add_row(entry.name, entry.words.name.zh, services, entry.since, ends)
    out.print(table)


@contracts.command()
def show(type: str, json_: Json = False) -> None:
    """一种事件的说明、字段与范例。 What an event says, its fields and an example."""
    found = [entry for entry in entries() if type in (entry.event.type, entry.name)]
    if not found:
        fail(
            f"没有公开事件 {type}；见 avow contracts list。",
            f"There is no public event {type}; `avow contracts list` names all.",
        )
    if json_:
        out.print_json(json.dumps(found[0].as_json(), ensure_ascii=False))
        return
    _show(found[0])


@contracts.command()
def check(
    handler: Annotated[str, typer.Argument(metavar="module:handler", help="处理函数，可为异步 / sync or async")],
    types: Annotated[str | None, typer.Option(help="只查这些类型，以逗号分隔 / only these, with commas")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="交给它原始的一行 / give it the line as bytes")] = False,
    json_: Json = False,
) -> None:
    """用历来发布过的每种事件检查一个处理函数。 Check a handler with every event ever shipped."""
    raise typer.Exit(run(handler, types, raw, json_))


def _show(entry: Entry) -> None:
    out.print(f"[bold]{entry.name}[/bold]  {entry.words.name.zh} / {entry.words.name.en}", soft_wrap=True)
    out.print(f"{entry.words.zh}\n\n{entry.words.en}\n", markup=False, soft_wrap=True)
    if entry.ending is not None:
        out.print(f"{entry.ending.since} 宣布，写到 / announced, written until {entry.ending.until}\n", soft_wrap=True)
    for field in entry.fields:
        marks = ["必有 / required"] * field.required + [f"加封 / sealed: {field.sealed}"] * bool(field.sealed)
        kind = f"{field.kind.zh} / {field.kind.en}".replace("`", "")
        out.print(f"[bold]{escape(field.path)}[/bold]  {escape(kind)}  {escape('；'.join(marks))}", soft_wrap=True)
        out.print(f"    {field.words.zh} / {field.words.en}", markup=False, soft_wrap=True)
    out.print_json(entry.sample.decode())
