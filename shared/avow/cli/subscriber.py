"""`avow subscriber add`, `list`, `revoke`: other teams that read what is public.

Promises: it works beside a running pair, which knows a token at once and forgets it within seconds; a subscriber that
was made in some of the databases only is completed by adding it again (tests/integration/test_subscriber_commands.py).
Limit: a token is shown once; whoever lost it is given another by `revoke` and `add`.
"""

import asyncio
import json
import re
import shlex
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue
from rich.table import Table
from sqlalchemy import Connection

from avow.bus.subscribers import Subscriber, enrol, every, new_token, revoke
from avow.cli.at_the_broker import AtTheBroker, add_to_broker, remove_from_broker
from avow.cli.databases import opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.contracts import moment
from avow.contracts.catalogue import every_public_event
from avow.eventlog import reading
from avow.kernel.ports import Ports
from avow.service.hosting import installed
from avow.service.settings import Settings
from avow.subscriber import environment

Data = Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")]
Orgs = Annotated[list[str] | None, typer.Option("--org", help="组织，可重复；默认为 AVOW_ORGS / may be repeated")]
Types = Annotated[list[str] | None, typer.Option("--types", help="队列只收这些类型，可重复 / what its queue gets")]

subscriber = typer.Typer(
    name="subscriber", help="订阅者：登记、列出、吊销。 Subscribers: add one, list, revoke.", no_args_is_help=True
)


@subscriber.command()
def add(name: str, org: Orgs = None, types: Types = None, data: Data = None, json_: Json = False) -> None:
    """登记订阅者：令牌、队列、账号。 Make a subscriber's token, and where there is a broker, queue and account."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name):
        fail(
            f"订阅者代号“{name}”不合用：须为 1 至 32 个 a-z、0-9 或 -，以字母开头。",
            f"{name!r} cannot name a subscriber. A name has 1 to 32 of a-z, 0-9 and -, and begins with a letter.",
        )
    ports = Ports()
    wanted = tuple(dict.fromkeys(each for given in types or () for each in given.split(",")))
    _require_types(wanted)
    who = Subscriber(name, tuple(dict.fromkeys(org or settings.orgs)), wanted, ports.clock.now())
    token = new_token(ports)
    with needing_the_databases():
        asyncio.run(_add(settings, who, token))
    broker = asyncio.run(add_to_broker(settings, who, ports))
    urls = [_url(settings, service) for service in installed()]
    if json_:
        said: dict[str, JsonValue] = {
            "name": name, "orgs": list(who.orgs), "types": list(who.types), "token": token,
            "urls": dict(zip(installed(), urls, strict=True)), "broker": None if broker is None else broker.as_json(),
        }  # fmt: skip
        out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    out.print(f"[green]✓[/green] 已登记订阅者 {name}（{'、'.join(who.orgs)}）。令牌只显示这一次：", soft_wrap=True)
    told = f"  The subscriber {name} is there. Its token is shown this once. To start, in a checkout of Avow:"
    out.print(told, soft_wrap=True)
    for line in _lines_to_start(who, token, urls, broker):
        out.print(f"  {line}", soft_wrap=True, markup=False)
    _say_what_is_left(broker)


@subscriber.command("list")
def list_(data: Data = None, json_: Json = False) -> None:
    """列出订阅者。 Every subscriber, with what it reads and since when."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases():
        found = asyncio.run(_list(settings))
    if json_:
        told = {name: {service: _shown(who) for service, who in at.items()} for name, at in found.items()}
        out.print(json.dumps({"subscribers": told}, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    table = Table(box=None, padding=(0, 1, 0, 0))
    for header in ("订阅者\nname", "服务\nservice", "组织\norgs", "类型\ntypes", "登记\nadded", "吊销\nrevoked"):
        table.add_column(header, no_wrap=True)
    for name, at in found.items():
        for n, (service, who) in enumerate(at.items()):
            said = ("—",) * 4
            if who is not None:
                until = "—" if who.revoked_at is None else moment.to_text(who.revoked_at)[:19]
                said = (",".join(who.orgs), ",".join(who.types) or "*", moment.to_text(who.created_at)[:19], until)
            table.add_row(name if n == 0 else "", service, *said)
    out.print(table)


@subscriber.command("revoke")
def revoke_(name: str, data: Data = None, json_: Json = False) -> None:
    """吊销订阅者的令牌，移除其队列和账号。 Have its token open nothing any more; remove its queue and account."""
    settings = read_settings(data=data)
    require_databases(settings, installed())
    with needing_the_databases():
        services = asyncio.run(_revoke(settings, name))
    if not services:
        fail(
            f"没有名为 {name} 的有效订阅者。",
            f"There is no subscriber {name} whose token opens anything. `avow subscriber list` shows those there are.",
        )
    broker = asyncio.run(remove_from_broker(settings, name))
    if json_:
        said = {"name": name, "revoked": services, "broker": None if broker is None else broker.as_json()}
        out.print(json.dumps(said, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    out.print(f"[green]✓[/green] 已吊销 {name} 的令牌（{'、'.join(services)}）。", soft_wrap=True)
    out.print(f"  The token of {name} opens nothing any more.")
    _say_what_is_left(broker)


def _require_types(wanted: Sequence[str]) -> None:
    known = [event.type for event in every_public_event()]
    if strange := [each for each in wanted if each not in known]:
        fail(
            f"没有这样的公开事件：{'、'.join(strange)}。",
            f"No such public events: {', '.join(strange)}. There are: {', '.join(known)}.",
        )


def _lines_to_start(who: Subscriber, token: str, urls: Sequence[str], broker: AtTheBroker | None) -> list[str]:
    """Install, say where, watch the events come."""
    where = {environment.TOKEN: token, environment.ORGS: " ".join(who.orgs), environment.URLS: " ".join(urls)}
    if broker is not None and broker.url is not None:
        where |= {environment.AMQP: broker.url, environment.QUEUE: broker.queue}
    return [
        "pip install ./shared" if broker is None else "pip install './shared[amqp]'",
        "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in where.items()),
        "python -m avow.subscriber",
    ]


def _say_what_is_left(broker: AtTheBroker | None) -> None:
    if broker is not None and broker.todo:
        out.print("  还须由 RabbitMQ 管理员执行 / left for an administrator of RabbitMQ:", soft_wrap=True)
        for line in broker.todo:
            out.print(f"  {line}", soft_wrap=True, markup=False)


def _url(settings: Settings, service: str) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.url(service) or f"http://{host}:{settings.port(service)}"


def _shown(who: Subscriber | None) -> JsonValue:
    if who is None:
        return None
    revoked = None if who.revoked_at is None else moment.to_text(who.revoked_at)
    created = moment.to_text(who.created_at)
    return {"orgs": list(who.orgs), "types": list(who.types), "created_at": created, "revoked_at": revoked}


async def _add(settings: Settings, who: Subscriber, token: str) -> None:
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        found = [await database.read(partial(_standing, who=who)) for database in databases.values()]
        for service, (_, strange) in zip(databases, found, strict=True):
            if strange:
                fail(
                    f"{service} 中没有这些组织：{'、'.join(strange)}。",
                    f"{service} has no book of {', '.join(strange)}. `avow org list` shows those there are.",
                )
        if all(stands for stands, _ in found):
            fail(
                f"订阅者 {who.name} 已经存在。",
                f"There is a subscriber {who.name} already. For another token `avow subscriber revoke {who.name}` "
                "first.",
            )
        for database in databases.values():
            await database.write(partial(enrol, who=who, token=token))


def _standing(connection: Connection, who: Subscriber) -> tuple[bool, list[str]]:
    """Whether there is a subscriber of that name, and the organisations there are not."""
    known = reading.organisations(connection)
    stands = any(each.name == who.name and each.revoked_at is None for each in every(connection))
    return stands, [org for org in who.orgs if org not in known]


async def _list(settings: Settings) -> dict[str, dict[str, Subscriber | None]]:
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        found = {service: await database.read(every) for service, database in databases.items()}
    names = sorted({who.name for those in found.values() for who in those})
    at = {service: {who.name: who for who in those} for service, those in found.items()}
    return {name: {service: at[service].get(name) for service in found} for name in names}


async def _revoke(settings: Settings, name: str) -> list[str]:
    """The services in which a token was revoked."""
    now = Ports().clock.now()
    async with AsyncExitStack() as stack:
        databases = await opened(stack, settings, installed())
        return [
            service
            for service, database in databases.items()
            if await database.write(partial(revoke, name=name, at=now))
        ]
