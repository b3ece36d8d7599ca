"""`avow backup`, `avow restore`: the logs into a folder and back; the keys go their own way (`avow keys`).

The exit status is the verdict: 0 written or restored and verified, 2 not, and nothing half done.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from avow.backup.format import MANIFEST, Book, Manifest, read_manifest
from avow.backup.problem import Unfit
from avow.backup.restoring import missing, restore_books
from avow.backup.whole import whole_folder
from avow.backup.writing import size, write_books
from avow.cli.databases import opened, require_databases
from avow.cli.keys import put_back, tell_keys
from avow.cli.output import err, needing_the_databases, out, read_settings, saying_what_is_unfit
from avow.kernel.ports import Ports
from avow.service.hosting import installed
from avow.service.settings import Settings

Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]
Services = Annotated[
    list[str] | None, typer.Option("--service", help="只恢复这个服务，可重复 / only this service; may be repeated")
]
Keys = Annotated[Path | None, typer.Option(help="同时恢复密钥备份 / restore this backup of keys as well")]


def backup(folder: Path, data: Data = None, json_: Json = False) -> None:
    """备份各服务的日志（不含密钥），服务可在运行。 Back up every log, without any key, also beside running services."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases(), saying_what_is_unfit():
        manifest = asyncio.run(_backup(settings, folder))
    _tell(manifest.books, f"已备份到 {folder}。", f"Backed up into {folder}.", {"path": str(folder)}, json_)


def restore(folder: Path, keys: Keys = None, service: Services = None, data: Data = None, json_: Json = False) -> None:
    """从备份恢复缺失的日志，边读边核验。 Restore the logs that are missing, verified while they are read."""
    settings = read_settings(data=data)
    with needing_the_databases(), saying_what_is_unfit():
        books = asyncio.run(_restore(settings, folder, service))
        restored = None if keys is None else asyncio.run(put_back(settings, keys, service))
    extra = {} if restored is None else {"keys": asdict(restored)}
    _tell(books, "已恢复并核验；各视图在下次启动时由日志重建。",
          "Restored and verified; the views are folded from the logs at the next start.", extra, json_)  # fmt: skip
    if restored is not None:
        if not json_:
            tell_keys(restored)
        raise typer.Exit(1 if restored.superseded else 0)


async def _backup(settings: Settings, folder: Path) -> Manifest:
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        total = sum([await database.read(size) for database in databases.values()])
        with whole_folder(folder) as partial_folder, _progress("备份 / backing up", total) as told:
            made_at = Ports().clock.now()
            books: list[Book] = []
            for name, database in databases.items():
                books += await database.read(partial(write_books, service=name, folder=partial_folder, told=told))
            if not books:
                raise Unfit("backup.nothing")
            manifest = Manifest(made_at=made_at, avow=version("avow"), books=tuple(books))
            (partial_folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
    return manifest


async def _restore(settings: Settings, folder: Path, only: list[str] | None) -> list[Book]:
    books = read_manifest(folder).books
    known = sorted({book.service for book in books})
    chosen = only or known
    for name in chosen:
        if name not in known:
            raise Unfit("backup.no_such_service", service=name, known=known)
        if name not in installed():
            raise Unfit("backup.not_installed", service=name)
    by_service = {name: [book for book in books if book.service == name] for name in chosen}
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, chosen)
        # Every service is asked before the first is written to.
        wanted = [
            book
            for name, database in databases.items()
            for book in await database.read(partial(missing, books=by_service[name]))
        ]
        if not wanted:
            raise Unfit("restore.nothing_missing")
        restored: list[Book] = []
        with _progress("恢复 / restoring", sum(book.position for book in wanted)) as told:
            for name, database in databases.items():
                work = partial(restore_books, books=by_service[name], folder=folder, told=told)
                restored += await database.write(work)
    return restored


def _tell(books: tuple[Book, ...] | list[Book], zh: str, en: str, extra: Mapping[str, object], json_: bool) -> None:
    if json_:
        said = {"books": [book.model_dump() for book in books], **extra}
        out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    for book in books:
        out.print(
            f"  {book.service:<11} {book.org:<12} {book.position:>10,} 条 events  {book.hash[:12]}…", markup=False
        )
    out.print("[green]✓[/green] ", end="")
    out.print(zh, soft_wrap=True, markup=False)
    out.print(f"  {en}", soft_wrap=True, markup=False)


class _Rate(ProgressColumn):
    """How many events a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:,.0f} 条/s")


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed:,}/{task.total:,}"), _Rate(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, advance=done)
