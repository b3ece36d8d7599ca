"""`avow doctor`: what is in force here and what is wrong; the exit status is the verdict."""

import asyncio
import json
import os
import platform
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table
from sqlalchemy import Connection, make_url, text

from avow.cli.databases import has_a_log
from avow.cli.output import out, read_settings
from avow.eventlog.append import read_head
from avow.eventlog.database import open_database
from avow.eventlog.reading import organisations
from avow.programme import available, load
from avow.service.hosting import installed
from avow.service.settings import Settings

T = TypeVar("T")
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what is in force, and what to do where it is wrong."""

    what: str
    found: str
    ok: bool = True
    todo: str = ""


def doctor(
    data: Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")] = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """检查环境与设置。 Say what is in force and what is wrong."""
    settings = read_settings(data=data)
    findings = list(examine(settings))
    healthy = all(finding.ok for finding in findings)
    if json_:
        out.print_json(json.dumps({"ok": healthy, "findings": [asdict(f) for f in findings]}, ensure_ascii=False))
    else:
        table = Table("", "项目 / what", "现状 / found", "怎么办 / what to do", box=None)
        for finding in findings:
            mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
            table.add_row(mark, finding.what, finding.found, "" if finding.ok else finding.todo)
        out.print(table)
    raise typer.Exit(0 if healthy else 1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order a person would ask."""
    yield Finding("Python", platform.python_version(), sys.version_info >= (3, 11), "3.11+")
    for package in ("avow", "sqlalchemy", "pydantic", "fastapi", "faststream", "aio-pika"):
        yield _try(package, partial(version, package), "make setup")
    yield Finding("SQLite", sqlite3.sqlite_version, sqlite3.sqlite_version_info >= (3, 35), "3.35+")
    yield _try("services", lambda: ", ".join(installed()), "make setup")
    yield _try("templates", lambda: ", ".join(load(key).key for key in available()), "make setup")
    for name in type(settings).model_fields:
        yield Finding(f"AVOW_{name.upper()}", _shown(name, getattr(settings, name)))
    yield _writable(settings.data)
    for service in installed():
        yield _port_free(service, settings)
        yield from _database(service, settings)


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return "默认 / default"
    if name.endswith("_database"):
        return make_url(str(value)).render_as_string(hide_password=True)
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _try(what: str, look: Callable[[], str], todo: str) -> Finding:
    try:
        return Finding(what, look())
    except Exception as error:  # noqa: BLE001 - whatever is wrong is the finding
        return Finding(what, f"{type(error).__name__}: {error}", False, todo)


def _writable(folder: Path) -> Finding:
    nearest = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.exists())
    todo = f"给予写权限或改设 AVOW_DATA / make {nearest} writable or set AVOW_DATA"
    return Finding("data", str(folder), nearest.is_dir() and os.access(nearest, os.W_OK), todo)


def _port_free(service: str, settings: Settings) -> Finding:
    port = settings.port(service)
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.settimeout(0.5)
        taken = port != 0 and probe.connect_ex((settings.host, port)) == 0
    todo = f"停止占用者，或改设 / stop what answers there, or set AVOW_{service.upper()}_PORT"
    return Finding(f"{service} port", f"{port} {'in use' if taken else 'free'}", not taken, todo)


def _database(service: str, settings: Settings) -> Iterator[Finding]:
    url = make_url(settings.database_url(service))
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield Finding(f"{service} database", f"{shown}: 尚未建立 / not made yet")
        return
    todo = f"检查 / check AVOW_{service.upper()}_DATABASE"
    heads = _try(f"{service} database", lambda: f"{shown}: {_look(settings.database_url(service), _heads)}", todo)
    yield heads
    if heads.ok and url.get_backend_name() == "postgresql":
        off = _look(settings.database_url(service), _switched_off)
        todo = f"在服务器上打开，否则断电会丢失已答复的写入 / turn on at the server: {', '.join(off)}"
        yield Finding(f"{service} durability", f"off: {', '.join(off)}" if off else "on", not off, todo)


def _look(url: str, look: Callable[[Connection], T]) -> T:
    async def read() -> T:
        database = open_database(url)
        try:
            return await database.read(look)
        finally:
            await database.close()

    return asyncio.run(read())


def _switched_off(connection: Connection) -> list[str]:
    """What the log's durability rests on and this server does without; SQLite is told to sync by the log itself."""
    return [name for name in DURABLE if connection.scalar(text(f"SHOW {name}")) == "off"]


def _heads(connection: Connection) -> str:
    connection.execute(text("SELECT 1"))
    if not has_a_log(connection):
        return "尚无日志 / no log yet"
    heads = ((org, read_head(connection, org)) for org in organisations(connection))
    return ", ".join(f"{org} {head.position}" for org, head in heads if head) or "无 / no books"
