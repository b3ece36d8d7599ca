"""`avow bus status|pause|resume`: how events travel between the services, and having them stand still for a while.

Works on the databases, also beside running services, which take a pause up within seconds and keep it over a restart.
The exit status of `status` is the verdict: 0 everything moves or was paused by a person, 1 something stands still.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.table import Table
from sqlalchemy import Connection

from avow.bus import place, standing
from avow.bus.standing import SOUND, Look
from avow.cli.broker import Depth, depths_of
from avow.cli.databases import has_a_log, opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.cli.views import one_book
from avow.contracts.wire import dead_queue
from avow.eventlog import reading
from avow.eventlog.database import Database
from avow.kernel.ports import SystemClock
from avow.service.hosting import installed
from avow.service.settings import Settings

BETWEEN = 2.5
"""Seconds between two looks: more than two beats of a relay that is alive."""

Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]
Org = Annotated[str | None, typer.Option(help="哪个组织 / which organisation")]
Service = Annotated[str | None, typer.Option(help="只停这个服务的 / of this service alone: pledge, evaluation")]
Part = Annotated[str, typer.Argument(metavar="relay|import", help="发出，还是导入 / publishing, or importing")]

_SAID = {
    "moving": "进行中 moving",
    "done": "已到末尾 all done",
    "paused": "已暂停 paused",
    "nobody": "无人在做 nobody is at it",
    "still": "停滞 stands still",
    "source_changed": "来源已变 source changed",
    "source_behind": "来源落后 source behind",
}

bus = typer.Typer(
    name="bus", help="总线：现状、暂停、恢复。 How events travel: status, pause, resume.", no_args_is_help=True
)


@bus.command()
def status(org: Org = None, data: Data = None, json_: Json = False) -> None:
    """发出、导入、投影各到哪里，队列里还有多少。 How far publishing, importing and projecting are, and what waits."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases():
        books = asyncio.run(_status(settings, org))
    queues = [
        depth
        for service in installed()
        for depth in depths_of(settings, service, _queues(service, books[service])).values()
    ]
    dead = {dead_queue(service) for service in installed()}
    paused = {f"{book['service']}.inbox.{book['org']}" for each in books.values() for book in each if book["paused"]}
    unheard = [q for q in queues if q.queue not in dead | paused and not q.consumers]
    sound = all(part["sound"] for each in books.values() for book in each for part in book["parts"]) and not unheard
    if json_:
        told = {"ok": sound, "books": [b for each in books.values() for b in each], "queues": _as_json(queues)}
        out.print(json.dumps(told, ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        _print(books, queues, dead)
    raise typer.Exit(0 if sound else 1)


@bus.command()
def pause(
    part: Part,
    reason: Annotated[str, typer.Option(help="为什么，记录在案 / why; it is kept and shown")],
    org: Org = None,
    service: Service = None,
    data: Data = None,
) -> None:
    """暂停发出或导入，重启后依然有效。 Have publishing or importing stand still; a restart does not undo it."""
    if not reason.strip():
        fail("请用 --reason 说明原因。", "Say why with --reason.")
    chosen = _part(part)
    for name, book in _everywhere(data, org, service, partial(_pause, part=chosen, reason=reason.strip())):
        out.print(f"[yellow]‖[/yellow] {name} {book}：{part} 已暂停。 {part} is paused.", soft_wrap=True)


@bus.command()
def resume(part: Part, org: Org = None, service: Service = None, data: Data = None) -> None:
    """恢复发出或导入。 Have publishing or importing go on."""
    done = _everywhere(data, org, service, partial(_resume, part=_part(part)))
    if not done:
        fail(f"{part} 并未暂停。", f"The {part} is not paused.")
    for name, book in done:
        out.print(f"[green]▶[/green] {name} {book}：{part} 已恢复。 {part} goes on.", soft_wrap=True)


def _part(part: str) -> place.Part:
    known: dict[str, place.Part] = {"relay": "relay", "import": "import"}
    if part not in known:
        fail(f"没有“{part}”可停。", f"There is no {part} to pause. There are: {', '.join(known)}.")
    return known[part]


def _pause(connection: Connection, org: str, part: place.Part, reason: str) -> bool:
    place.metadata.create_all(connection)
    place.pause(connection, org, part, reason)
    return True


def _resume(connection: Connection, org: str, part: place.Part) -> bool:
    place.metadata.create_all(connection)
    return place.resume(connection, org, part)


def _everywhere(data: Path | None, org: str | None, service: str | None, work: Any) -> list[tuple[str, str]]:
    """Do this to the book meant, in each service meant; where it changed something."""
    settings = read_settings(data=data)
    known = list(installed())
    if service not in (None, *known):
        fail(f"没有服务 {service}。", f"There is no service {service}. There are: {', '.join(known)}.")
    services = known if service is None else [service]
    require_databases(settings, services)

    async def each() -> list[tuple[str, str]]:
        done = []
        async with AsyncExitStack() as stack:
            for name, database in (await opened(stack, settings, services)).items():
                book = await one_book(database, org)
                if await database.write(partial(work, org=book)):
                    done.append((name, book))
        return done

    with needing_the_databases():
        return asyncio.run(each())


async def _status(settings: Settings, org: str | None) -> dict[str, list[dict[str, Any]]]:
    """Every book of each service, with how its parts stand."""
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        for database in databases.values():
            await one_book(database, org) if org is not None else None
        before = await _looks(databases, org)
        await asyncio.sleep(BETWEEN)
        after = await _looks(databases, org)
        return {
            name: [
                await _book(settings, databases, name, each, before[name].get(each, found), found)
                for each, found in after[name].items()
            ]
            for name in databases
        }


async def _looks(databases: dict[str, Database], org: str | None) -> dict[str, dict[str, Look]]:
    looks: dict[str, dict[str, Look]] = {}
    for name, database in databases.items():
        projections = installed()[name].blueprint.projections
        orgs = await database.read(reading.organisations) if await database.read(has_a_log) else []
        found = {each: await standing.look(database, each, projections) for each in orgs if org in (None, each)}
        looks[name] = {each: seen for each, seen in found.items() if seen is not None}
    return looks


async def _book(
    settings: Settings, databases: dict[str, Database], name: str, org: str, before: Look, after: Look
) -> dict[str, Any]:
    now = SystemClock().now()
    parts = []
    if settings.broker(name) is not None:
        parts.append(standing.relay_standing(before, after, now))
    for other in databases.keys() - {name}:
        last = after.imported.get(other)
        source = await standing.source_at(databases[other], org, 0 if last is None else last.sequence)
        if source is not None:
            parts.append(standing.import_standing(other, before, after, source, now))
    parts += standing.projection_standings(before, after, now)
    return {
        "service": name,
        "org": org,
        "paused": {**after.paused},
        "parts": [
            {
                "part": part.part, "reached": part.reached, "head": part.head, "lag": part.lag,
                "age_seconds": standing.age(part, now, after.head.clock), "state": part.verdict,
                "reason": part.reason, "sound": part.verdict in SOUND,
            }
            for part in parts
        ],
    }  # fmt: skip


def _queues(service: str, books: Sequence[dict[str, Any]]) -> list[str]:
    return [*(f"{service}.inbox.{book['org']}" for book in books), dead_queue(service)]


def _as_json(queues: Sequence[Depth]) -> list[JsonValue]:
    return [queue.as_json() for queue in queues]


def _print(books: dict[str, list[dict[str, Any]]], queues: Sequence[Depth], dead: set[str]) -> None:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for header in ("", "服务 组织\nservice, org", "环节\npart", "到/末端\nreached/head", "落后\nlag", "秒\nseconds",
                   "状态\nstate"):  # fmt: skip
        table.add_column(header, overflow="fold")
    for each in books.values():
        for book in each:
            for n, part in enumerate(book["parts"]):
                seconds = "—" if part["age_seconds"] is None else f"{part['age_seconds']:.0f}"
                table.add_row(
                    "[green]✓[/green]" if part["sound"] else "[red]✗[/red]",
                    f"{book['service']} {book['org']}" if n == 0 else "", part["part"],
                    f"{part['reached']}/{part['head']}", str(part["lag"]), seconds,
                    _SAID[part["state"]] + ("" if part["reason"] is None else f": {part['reason']}"),
                )  # fmt: skip
    out.print(table)
    for queue in queues:
        if queue.queue in dead:
            queue.say_what_waits()
        else:
            waits = queue.reason or f"{queue.messages} 件待取 waiting，{queue.consumers} 个消费者 consuming"
            mark = "[green]✓[/green]" if queue.consumers else "[red]✗[/red]"
            out.print(f"{mark} {queue.queue}  {waits}", soft_wrap=True)
