"""`avow demo`: two years of a campaign, from pledge to candidates, played over HTTP, then verified."""

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection, func, select

from avow.cli.output import at_a_terminal, err, fail, needing_the_databases, out, read_settings
from avow.cli.played import Played, as_json, outcome, show
from avow.cli.up import say_where, until_interrupted
from avow.cli.verify import examine
from avow.demo.client import Player
from avow.demo.college import FULL, SMALL, TITLE, College
from avow.demo.founding import BEGINS as FIRST_DAY
from avow.demo.playing import BEGINS, play
from avow.demo.scene import PHASES
from avow.demo.stage import Line, Stage
from avow.eventlog.tables import event
from avow.kernel.ports import Ports, SimulatedClock
from avow.observe.logging import configure_logging
from avow.service.hosting import PortTaken, deployment
from avow.service.settings import Settings

ORG = "demo"
MADE_HERE = ".avow-demo"
"""Marks a folder the demo may empty: it never deletes what it did not make."""


def demo(
    data: Annotated[Path, typer.Option(help="数据目录，每次重建 / folder, made anew each time")] = Path("var/demo"),
    small: Annotated[bool, typer.Option("--small", help="五个支部，十来秒 / five branches, ten seconds")] = False,
    serve: Annotated[bool | None, typer.Option(help="演示后继续服务 / go on serving afterwards")] = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """演一所学院两年的活动：从承诺到候选人。 Play a college's campaign of two years, from pledge to candidates."""
    settings = read_settings(data=data, orgs=(ORG,), pledge_database="", evaluation_database="")
    if at_a_terminal() and serve is None and not json_:
        serve = True
    if not serve:
        # Nobody will look in, so any free port will do.
        settings = settings.model_copy(update={"pledge_port": 0, "evaluation_port": 0})
    with needing_the_databases(), _emptied(data), (data / "avow.log").open("w", encoding="utf-8") as log:
        configure_logging(log)
        try:
            ok = uvloop.run(_play(settings, SMALL if small else FULL, bool(serve), json_))
        except PortTaken as taken:
            fail(
                f"端口 {taken.port} 已被占用（{taken.service}）。",
                f"Port {taken.port} is in use ({taken.service}). Set AVOW_{taken.service.upper()}_PORT to another.",
            )
    raise typer.Exit(0 if ok else 1)


async def _play(settings: Settings, college: College, serve: bool, json_: bool) -> bool:
    clock = SimulatedClock(BEGINS)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(deployment(settings, Ports(clock)))
        pledge, evaluation = (Player(running.urls[name], running.token, ORG) for name in ("pledge", "evaluation"))
        stack.push_async_callback(pledge.close)
        stack.push_async_callback(evaluation.close)
        if not json_:
            out.print(f"\n[bold]{TITLE[0]} · 创先争优活动[/bold]  {TITLE[1]}，虚构 / fictional\n")
        stage = Stage(clock, pledge, evaluation, _quiet if json_ else _say)
        begun = time.perf_counter()
        with _days(stage) as watch:
            scene = await play(stage, college, watch=watch)
        seconds = time.perf_counter() - begun
        databases = {name: service.database for name, service in running.services.items()}
        events = {name: await database.read(_count) for name, database in databases.items()}
        (verdict,) = await examine(databases, ORG)
        played = Played(await outcome(scene), events, stage.commands, seconds, verdict)
        if json_:
            out.print(json.dumps(as_json(stage.lines, played), ensure_ascii=False), soft_wrap=True, markup=False)
        else:
            show(played, settings.data)
        if serve:
            out.print("\n看一看 / look around:")
            say_where(running)
            await until_interrupted(running.stopped)
        return verdict.ok


@contextmanager
def _days(stage: Stage) -> Iterator[Callable[[date], None]]:
    """A bar over the days of the campaign, on standard error, with the commands given so far."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[commands]} 条命令 commands"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        days = (PHASES[-1].scored - FIRST_DAY).days
        task = progress.add_task(f"{FIRST_DAY}", total=days, commands=0)

        def watch(day: date) -> None:
            done = (day - FIRST_DAY).days
            progress.update(task, completed=done, description=f"{day}", commands=f"{stage.commands:,}")

        yield watch


@contextmanager
def _emptied(data: Path) -> Iterator[None]:
    """The folder with nothing in it but the mark, held against another demo until the block ends."""
    data.mkdir(parents=True, exist_ok=True)
    if any(data.iterdir()) and not (data / MADE_HERE).exists():
        fail(f"{data} 不是演示建的目录，不敢清空。", f"{data} was not made by the demo. Choose another with --data.")
    with (data / MADE_HERE).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(
                f"{data} 中另有一场演示正在进行。",
                f"Another demo is at work in {data}. End it, or choose another folder with --data.",
            )
        for old in data.iterdir():
            if old.name == MADE_HERE:
                continue
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            else:
                old.unlink()
        yield


def _quiet(line: Line) -> None:
    return


def _say(line: Line) -> None:
    mark = "[yellow]✗[/yellow]" if line.refused else "[green]✓[/green]"
    out.print(f"[dim]{line.at:%Y-%m-%d}[/dim] {mark} {line.zh}", soft_wrap=True)
    out.print(f"             [dim]{line.en}[/dim]", soft_wrap=True)


def _count(connection: Connection) -> dict[str, tuple[int, int]]:
    """How many events of each type the log holds: its own, and imported ones."""
    imported = event.c.stream.startswith("import/")
    columns = (func.count().filter(~imported).label("own"), func.count().filter(imported).label("imported"))
    query = select(event.c.type, *columns).where(event.c.org == ORG).group_by(event.c.type).order_by(event.c.type)
    return {row.type: (row.own, row.imported) for row in connection.execute(query)}
