"""`avow up`: both services in this process, on loopback, until Ctrl-C."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.eventlog.append import WrongClock
from avow.kernel.ports import Ports
from avow.observe.logging import configure_logging
from avow.observe.tracing import trace_to
from avow.service.hosting import Deployment, NoAddress, PortTaken, deployment
from avow.service.settings import Settings


def up(
    data: Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")] = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """启动两个服务，直到 Ctrl-C。 Run both services until Ctrl-C."""
    settings = read_settings(data=data)
    configure_logging(sys.stderr, style=settings.log)
    if settings.traces is not None:
        try:
            trace_to(str(settings.traces))
        except ImportError:
            fail(
                "AVOW_TRACES 需要安装 avow[trace]。",
                "AVOW_TRACES takes the extra avow[trace]: install it, or unset the variable.",
            )
    try:
        with needing_the_databases():
            asyncio.run(_run(settings, json_))
    except PortTaken as taken:
        fail(
            f"端口 {taken.port} 已被占用（{taken.service}）。",
            f"Port {taken.port} is in use ({taken.service}). Set AVOW_{taken.service.upper()}_PORT to another, or 0.",
        )
    except NoAddress as missing:
        name = f"AVOW_{missing.service.upper()}_URL"
        fail(
            f"{missing.service} 不在本进程运行，请用 {name} 说明其地址。",
            f"{missing.service} does not run in this process: say with {name} where it answers.",
        )
    except WrongClock as wrong:
        fail(
            f"{wrong.org} 的账本走的是模拟时钟，不能用真实时钟续写。",
            f"The book of {wrong.org} is kept by a {wrong.book} clock. Choose another folder with --data; "
            "`avow demo` makes its own anew.",
        )


async def _run(settings: Settings, json_: bool) -> None:
    async with deployment(settings, Ports()) as running:
        if json_:
            out.print(json.dumps({"services": running.urls, "token": running.token}), soft_wrap=True, markup=False)
        else:
            say_where(running)
        await until_interrupted(running.stopped)


def say_where(running: Deployment) -> None:
    """Where each service answers, and the token that opens it unless it was chosen: what is printed may be kept."""
    chosen = running.settings.operator_token is not None
    for name, url in running.urls.items():
        address = f"{url}/docs" if chosen else f"{url}/docs?token={running.token}"
        out.print(f"  {name:<11} {address}", soft_wrap=True, markup=False)
    if not chosen:
        out.print(f"  操作员令牌 / operator token: [bold]{escape(running.token)}[/bold]", soft_wrap=True)
    out.print("  Ctrl-C 结束 / to stop")


async def until_interrupted(stopped: asyncio.Event) -> None:
    """Return at SIGINT or SIGTERM, or when a server has stopped by itself."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await stopped.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
