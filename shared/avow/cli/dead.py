"""`avow dead list|show|retry|discard`: what could not be taken in or done, and what is done about it.

Works on the databases, also beside running services. Promises: nothing is changed without `--yes`; whoever changes
something says why, and that is kept (tests/integration/test_dead_commands.py). What a garbage letter holds is shown by
`show` alone. The exit status of `retry` and `discard` is 1 where something stays open.
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
from sqlalchemy import Connection, inspect

from avow.bus.inbox import Inbox
from avow.cli.broker import dead_queues
from avow.cli.databases import opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.contracts import moment
from avow.eventlog import dead_letters
from avow.eventlog.append import read_head
from avow.eventlog.appender import Appender
from avow.eventlog.database import Database
from avow.eventlog.dead_letters import PREFIX, Group, Kept, Kind, Settled
from avow.eventlog.signal import Signal
from avow.eventlog.tables import dead_letter
from avow.kernel.ports import Ports
from avow.service.hosting import installed
from avow.service.settings import Settings

Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]
Org = Annotated[str | None, typer.Option(help="哪个组织 / which organisation")]
Service = Annotated[str | None, typer.Option(help="哪个服务 / whose: pledge, evaluation")]
Reason = Annotated[str, typer.Option(help="为什么，记录在案 / why; it is kept")]
Yes = Annotated[bool, typer.Option("--yes", help="真的去做 / do it; without this nothing is changed")]
Fingerprint = Annotated[str, typer.Argument(help=f"指纹，至少前 {PREFIX} 位 / its first {PREFIX} characters or more")]

Found = dict[str, list[Kept]]
"""Letters by service."""

dead = typer.Typer(
    name="dead",
    help="死信：列出、查看、重试、丢弃。 Dead letters: what could not be taken in or done.",
    no_args_is_help=True,
)


@dead.command("list")
def list_(
    org: Org = None,
    service: Service = None,
    kind: Annotated[str | None, typer.Option(help="garbage, reaction")] = None,
    all_: Annotated[bool, typer.Option("--all", help="连同已处理的 / settled ones too")] = False,
    data: Data = None,
    json_: Json = False,
) -> None:
    """按原因归组列出。 Every group of dead letters, by its cause."""
    settings, services = _ready(data, service)
    kinds: dict[str, Kind] = {"garbage": "garbage", "reaction": "reaction"}
    if kind is not None and kind not in kinds:
        fail(f"没有这一类：{kind}。", f"There is no kind {kind}. There are: {', '.join(kinds)}.")
    look = partial(dead_letters.groups, org=org, kind=kinds.get(kind or ""), settled_too=all_)
    with needing_the_databases():
        groups = asyncio.run(_each(settings, services, look))
    queues = dead_queues(settings, services)
    if json_:
        told: list[JsonValue] = [
            {"service": name, **_group_as_json(group)} for name, found in groups.items() for group in found
        ]
        waiting: dict[str, JsonValue] = {name: depth.as_json() for name, depth in queues.items()}
        out.print(json.dumps({"groups": told, "queues": waiting}, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    table = Table(box=None, padding=(0, 1, 0, 0))
    for header in ("指纹\nfingerprint", "服务 组织\nservice, org", "原因\nreason", "来处\norigin", "封数\nletters",
                   "次数\ntimes", "最后\nlast", "处理\nsettled"):  # fmt: skip
        table.add_column(header, overflow="fold", no_wrap=header.startswith("指纹"))
    for name, found in groups.items():
        for group in found:
            table.add_row(
                group.fingerprint[:12], f"{name} {group.org}", f"{group.kind}: {group.reason}", group.origin,
                str(group.letters), str(group.times), moment.to_text(group.last_at)[:16].replace("T", " "),
                group.settled or "—",
            )  # fmt: skip
    out.print(table if table.row_count else "没有死信。 No dead letters.")
    for depth in queues.values():
        depth.say_what_waits()


@dead.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="死信的编号，或指纹 / a letter's id, or a fingerprint")],
    service: Service = None,
    data: Data = None,
    json_: Json = False,
) -> None:
    """查看一封或一组死信，连同其内容。 Letters with what they hold, which may be anything."""
    settings, services = _ready(data, service)
    _long_enough(id_)
    with needing_the_databases():
        found = asyncio.run(_each(settings, services, partial(dead_letters.show, prefix=id_)))
    letters = [(name, letter) for name, kept in found.items() for letter in kept]
    if not letters:
        fail(f"没有死信 {id_}。", f"There is no dead letter {id_}. `avow dead list --all` shows those there are.")
    if json_:
        shown = [{"service": name, **_letter_as_json(letter)} for name, letter in letters]
        out.print(json.dumps({"letters": shown}, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    for name, letter in letters:
        for field, value in {"service": name, **_letter_as_json(letter)}.items():
            if value is not None:
                out.print(f"{field:>13}  {_harmless(str(value))}", soft_wrap=True, markup=False)
        out.print()


@dead.command()
def retry(
    fingerprint: Fingerprint, reason: Reason, yes: Yes = False, org: Org = None, data: Data = None, json_: Json = False
) -> None:
    """再试一次：来件重新导入，反应重新执行。 Try again: import a delivery once more, carry a reaction out again."""
    _act(fingerprint, "retried", reason, yes, org, data, json_)


@dead.command()
def discard(
    fingerprint: Fingerprint, reason: Reason, yes: Yes = False, org: Org = None, data: Data = None, json_: Json = False
) -> None:
    """丢弃：内容删去，留下一笔记录。 Give up on them: what they hold is deleted, that they were is kept."""
    _act(fingerprint, "discarded", reason, yes, org, data, json_)


def _act(
    fingerprint: str, how: Settled, reason: str, yes: bool, org: str | None, data: Path | None, json_: bool
) -> None:
    settings, services = _ready(data, None)
    _long_enough(fingerprint)
    if not reason.strip():
        fail("请用 --reason 说明原因。", "Say why with --reason.")
    with needing_the_databases():
        verdict = asyncio.run(_done(settings, services, fingerprint, org, how, reason.strip(), yes))
    stays = sum(1 for said in verdict if said["outcome"] not in (how, f"would be {how}"))
    if json_:
        said = {"dry_run": not yes, "letters": verdict}
        out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        for each in verdict:
            out.print(f"  {each['service']} {each['org']} {each['id']}  {each['outcome']}", soft_wrap=True)
        if yes:
            out.print(
                f"{len(verdict) - stays} 封已处理，{stays} 封仍未了结。 {len(verdict) - stays} settled, {stays} open."
            )
        else:
            out.print(f"{len(verdict)} 封；什么都没有改动，加 --yes 才执行。 Nothing was changed; --yes does it.")
    raise typer.Exit(1 if stays else 0)


async def _done(
    settings: Settings, services: Sequence[str], fingerprint: str, org: str | None, how: Settled, why: str, yes: bool
) -> list[dict[str, str]]:
    """What becomes of each open letter of the group, or would."""
    verdict: list[dict[str, str]] = []
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, services)
        found = {name: await _read(database, partial(dead_letters.find, fingerprint=fingerprint, org=org))
                 for name, database in databases.items()}  # fmt: skip
        groups = {(name, letter.org, letter.fingerprint) for name, kept in found.items() for letter in kept}
        if not groups:
            fail(
                f"没有未了结的死信 {fingerprint}。",
                f"There is no open dead letter {fingerprint}. `avow dead list` shows those there are.",
            )
        if len(groups) > 1:
            meant = ", ".join(sorted(f"{name}/{of}/{full[:16]}" for name, of, full in groups))
            fail(
                f"{fingerprint} 指的不止一组：{meant}。",
                f"{fingerprint} means several groups: {meant}. Say more of it.",
            )
        for name, kept in found.items():
            for letter in kept:
                outcome = await _outcome(databases[name], letter, how, why, yes)
                verdict.append({"service": name, "org": letter.org, "id": str(letter.id), "outcome": outcome})
    return verdict


async def _outcome(database: Database, letter: Kept, how: Settled, why: str, yes: bool) -> str:
    ports = Ports()
    if how == "retried" and letter.kind == "garbage":
        if not letter.whole or letter.body is None:
            return "stays: its body is not here any more" if letter.body is None else "stays: its body was cut off"
        clock = await database.read(lambda connection: read_head(connection, letter.org))
        if clock is None or clock.clock != ports.clock.kind:
            return "stays: this book is not kept by the machine's clock"
        inbox = Inbox(database, Appender(database, ports, Signal()), letter.org)
        refused = await inbox.refusals([letter.body])
        if refused:
            return f"stays: refused again ({refused[0]})"
        if yes and (taken := await inbox.take([letter.body])).ahead:
            return f"stays: sequence {taken.reached + 1} must come first"
    if not yes:
        return f"would be {how}"
    now = ports.clock.now()
    work = partial(dead_letters.settle, org=letter.org, ids=[letter.id], how=how, why=why, now=now)
    return how if await database.write(work) else "stays: somebody was quicker"


def _harmless(text: str) -> str:
    """The text without anything that a terminal would act on."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _ready(data: Path | None, service: str | None) -> tuple[Settings, list[str]]:
    settings = read_settings(data=data)
    known = list(installed())
    if service not in (None, *known):
        fail(f"没有服务 {service}。", f"There is no service {service}. There are: {', '.join(known)}.")
    services = known if service is None else [service]
    require_databases(settings, services)
    return settings, services


def _long_enough(prefix: str) -> None:
    if len(prefix) < PREFIX:
        fail(f"至少要前 {PREFIX} 位。", f"At least the first {PREFIX} characters are needed.")


async def _each(settings: Settings, services: Sequence[str], look: Any) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, services)
        return {name: await _read(database, look) for name, database in databases.items()}


async def _read(database: Database, look: Any) -> list[Any]:
    def read(connection: Connection) -> list[Any]:
        found: list[Any] = look(connection) if inspect(connection).has_table(dead_letter.name) else []
        return found

    return await database.read(read)


def _group_as_json(group: Group) -> dict[str, JsonValue]:
    return {
        "org": group.org, "fingerprint": group.fingerprint, "kind": group.kind, "reason": group.reason,
        "origin": group.origin, "letters": group.letters, "bodies": group.bodies, "times": group.times,
        "first_at": moment.to_text(group.first_at), "last_at": moment.to_text(group.last_at), "settled": group.settled,
    }  # fmt: skip


def _letter_as_json(letter: Kept) -> dict[str, JsonValue]:
    settled_at = None if letter.settled_at is None else moment.to_text(letter.settled_at)
    return {
        "org": letter.org, "id": str(letter.id), "fingerprint": letter.fingerprint, "kind": letter.kind,
        "reason": letter.reason, "origin": letter.origin, "routing_key": letter.routing_key,
        "message_id": letter.message_id, "times": letter.times, "first_at": moment.to_text(letter.first_at),
        "last_at": moment.to_text(letter.last_at), "settled_at": settled_at, "settled_how": letter.settled_how,
        "settled_why": letter.settled_why, "size": letter.size, "whole": letter.whole,
        "body": None if letter.body is None else letter.body.decode("utf-8", "backslashreplace"),
    }  # fmt: skip
