"""`avow keys backup`, `avow keys restore`: what opens the seals, in a file by itself."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from avow.backup.keys import (
    Key,
    Keyring,
    KeysManifest,
    Restored,
    keys_in,
    read_keys,
    require_books,
    restore_keys,
    write_keys,
)
from avow.backup.problem import Unfit
from avow.backup.whole import whole_file
from avow.cli.databases import has_a_log, opened, require_databases
from avow.cli.output import needing_the_databases, out, read_settings, saying_what_is_unfit
from avow.eventlog.erasure import erasures
from avow.kernel.ports import Ports
from avow.service.hosting import installed
from avow.service.settings import Settings

Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]

keys = typer.Typer(name="keys", help="密钥的备份与恢复。 Back the keys up, restore them.", no_args_is_help=True)


@keys.command()
def backup(file: Path, data: Data = None, json_: Json = False) -> None:
    """把密钥单独备份到一个文件（仅本人可读）。 Back up the keys alone, into a file only its owner may read."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases(), saying_what_is_unfit():
        rings = asyncio.run(_backup(settings, file))
    count = sum(ring.keys for ring in rings)
    if json_:
        said = {"path": str(file), "books": [ring.model_dump() for ring in rings]}
        out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    out.print(f"[green]✓[/green] 已备份 {count} 个密钥。请与日志备份分开存放，并按期销毁。", soft_wrap=True)
    out.print(f"  {count} keys backed up. Keep them apart from the logs' backups, and destroy them in time.")


@keys.command()
def restore(file: Path, data: Data = None, json_: Json = False) -> None:
    """放回密钥；日志中已删除者的密钥不会回来。 Put keys back, but none of a person whose erasure is in a log."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases(), saying_what_is_unfit():
        done = asyncio.run(put_back(settings, file))
    if json_:
        out.print(json.dumps({"keys": asdict(done)}), soft_wrap=True, markup=False)
    else:
        tell_keys(done)
    raise typer.Exit(1 if done.superseded else 0)


def tell_keys(done: Restored) -> None:
    """What became of the keys, in both languages."""
    out.print(f"  密钥：放回 {done.restored}，已在 {done.present}，已删除者不放回 {done.erased}。", soft_wrap=True)
    out.print(f"  Keys: {done.restored} put back, {done.present} there already, {done.erased} left out as erased.")
    if done.superseded:
        out.print(
            f"[red]✗[/red] {done.superseded} 个主体在此期间已有新密钥，保留新的；旧密钥封存的内容打不开。\n"
            f"  {done.superseded} subjects have had another key made since, which was kept; what is sealed under the "
            "older one cannot be opened.",
            soft_wrap=True,
        )


async def put_back(settings: Settings, file: Path, only: Sequence[str] | None = None) -> Restored:
    """Restore a backup of keys, of all services or of these only; raises Unfit."""
    manifest, all_keys = read_keys(file)
    rings: dict[str, list[Keyring]] = {}
    for ring in manifest.books:
        if only is None or ring.service in only:
            rings.setdefault(ring.service, []).append(ring)
    for name in rings:
        if name not in installed():
            raise Unfit("backup.not_installed", service=name)
    done = Restored()
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        erased: set[tuple[str, str]] = set()
        for database in databases.values():
            if await database.read(has_a_log):
                erased.update(await database.read(lambda connection: set(erasures(connection))))
        for name, wanted in rings.items():
            await databases[name].read(partial(require_books, rings=wanted))
        for name, wanted in rings.items():
            own = [key for key in all_keys if key.service == name]
            done += await databases[name].write(partial(restore_keys, rings=wanted, keys=own, erased=erased))
    return done


async def _backup(settings: Settings, file: Path) -> list[Keyring]:
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        with whole_file(file) as partial_file:
            made_at = Ports().clock.now()
            rings: list[Keyring] = []
            found: list[Key] = []
            for name, database in databases.items():
                of_service, held = await database.read(partial(keys_in, service=name))
                rings += of_service
                found += held
            write_keys(partial_file, KeysManifest(made_at=made_at, avow=version("avow"), books=tuple(rings)), found)
    return rings
