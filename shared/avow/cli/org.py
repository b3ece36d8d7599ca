"""`avow org create`, `avow org list`: the organisations of a deployment, each a book in every service.

Promises: a book is opened beside running services, which take it up within seconds; one that was opened in some of the
databases only is completed by asking again (tests/integration/test_org_commands.py).
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError
from rich.table import Table
from sqlalchemy import Connection

from avow.audit import rows
from avow.cli.databases import has_a_log, opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.contracts import moment
from avow.eventlog import reading
from avow.eventlog.append import WrongClock, open_book, read_head
from avow.eventlog.tables import create_log
from avow.kernel.ports import Ports
from avow.service.hosting import installed
from avow.service.settings import RESERVED, OrgName, Settings

Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]

org = typer.Typer(name="org", help="组织：新建、列出。 Organisations: create one, list them.", no_args_is_help=True)


@org.command()
def create(name: str, data: Data = None, json_: Json = False) -> None:
    """为一个组织在各服务中开簿；服务运行时也可以。 Open an organisation's book in every service, also beside them."""
    settings = read_settings(data=data)
    try:
        TypeAdapter(OrgName).validate_python(name)
    except ValidationError:
        fail(
            f"组织代号“{name}”不合用：须为 1 至 32 个 a-z、0-9 或 -，以字母开头，"
            f"且不能是 {'、'.join(sorted(RESERVED))}。",
            f"{name!r} cannot name an organisation. A name has 1 to 32 of a-z, 0-9 and -, begins with a letter, "
            f"and is none of {', '.join(sorted(RESERVED))}.",
        )
    try:
        with needing_the_databases():
            made = asyncio.run(_create(settings, name))
    except WrongClock as wrong:
        fail(
            f"{wrong.org} 的账本走的是模拟时钟，这里不能再开真实的账本。",
            f"The book of {wrong.org} is kept by a {wrong.book} clock; no book of the real one is opened beside it. "
            "Choose another folder with --data.",
        )
    if not made:
        fail(
            f"组织 {name} 已经存在。",
            f"There is an organisation {name} already. Choose another name; `avow org list` shows those there are.",
        )
    if json_:
        out.print(json.dumps({"org": name, "opened": made}), soft_wrap=True, markup=False)
    else:
        out.print(f"[green]✓[/green] 已为 {name} 开簿：{'、'.join(made)}。", soft_wrap=True)
        out.print(f"  The book of {name} is open in {', '.join(made)}.", soft_wrap=True)


@org.command("list")
def list_(data: Data = None, json_: Json = False) -> None:
    """列出各组织的账本在各服务中的情况。 Every organisation, and where its book stands in each service."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases():
        books = asyncio.run(_list(settings))
    if json_:
        out.print(json.dumps({"organisations": books}, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    table = Table(box=None, padding=(0, 1, 0, 0))
    for header in ("组织\norg", "服务\nservice", "日志\nlog", "时钟\nclock", "位置\nposition", "公开\nsequence",
                   "事件\nevents", "最后记录\nlast recorded"):  # fmt: skip
        table.add_column(header, no_wrap=True)
    for name, services in books.items():
        for n, (service, book) in enumerate(services.items()):
            said = ["—"] * 6 if book is None else _shown(book)
            table.add_row(name if n == 0 else "", service, *said)
    out.print(table)


def _shown(book: Mapping[str, JsonValue]) -> list[str]:
    log_id, clock, position, sequence, events, recorded_at = map(str, book.values())
    return [log_id[:8], clock, position, sequence, events, recorded_at[:19].replace("T", " ")]


async def _create(settings: Settings, name: str) -> list[str]:
    """The services in which the book was missing."""
    ports = Ports()
    made = []
    async with AsyncExitStack() as stack:
        for service, database in (await opened(stack, settings, installed())).items():
            if await database.write(partial(_open, org=name, service=service, ports=ports)):
                made.append(service)
    return made


def _open(connection: Connection, org: str, service: str, ports: Ports) -> bool:
    create_log(connection)
    known = reading.organisations(connection)
    for book in known:
        # Two kinds of clock in one deployment: the services would refuse to start.
        head = read_head(connection, book)
        if head is not None and head.clock != ports.clock.kind:
            raise WrongClock(book, head.clock)
    open_book(connection, org, service, ports)
    return org not in known


async def _list(settings: Settings) -> dict[str, dict[str, dict[str, JsonValue] | None]]:
    found: dict[str, dict[str, dict[str, JsonValue]]] = {}
    async with AsyncExitStack() as stack:
        for service, database in (await opened(stack, settings, installed())).items():
            found[service] = await database.read(_books)
    names = sorted({name for books in found.values() for name in books})
    return {name: {service: books.get(name) for service, books in found.items()} for name in names}


def _books(connection: Connection) -> dict[str, dict[str, JsonValue]]:
    if not has_a_log(connection):
        return {}
    books: dict[str, dict[str, JsonValue]] = {}
    for name in reading.organisations(connection):
        head = read_head(connection, name)
        if head is not None:
            books[name] = {
                "log_id": str(head.log_id),
                "clock": head.clock,
                "position": head.position,
                "sequence": head.sequence,
                "events": rows.count(connection, name),
                "recorded_at": moment.to_text(head.recorded_at),
            }
    return books
