"""`avow demo`: a small campaign from pledge to ledger, played over HTTP, then verified."""

import asyncio
import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection, func, select

from avow.audit.verify import PairVerdict
from avow.cli.output import at_a_terminal, fail, needing_the_databases, out, read_settings
from avow.cli.up import say_where, until_interrupted
from avow.cli.verify import examine, tell
from avow.demo.client import Player
from avow.demo.college import TITLE
from avow.demo.playing import BEGINS, play
from avow.demo.stage import Line, Stage
from avow.eventlog.tables import event
from avow.kernel.ports import Ports, SimulatedClock
from avow.observe.logging import configure_logging
from avow.service.hosting import PortTaken, deployment
from avow.service.settings import Settings

ORG = "demo"
MADE_HERE = ".avow-demo"
"""Marks a folder the demo may empty: it never deletes what it did not make."""


@dataclass(frozen=True)
class Played:
    """What came of the demo."""

    ledger: Sequence[dict[str, Any]]
    events: dict[str, dict[str, tuple[int, int]]]
    verdict: PairVerdict


def demo(
    data: Annotated[Path, typer.Option(help="数据目录，每次重建 / folder, made anew each time")] = Path("var/demo"),
    serve: Annotated[bool | None, typer.Option(help="演示后继续服务 / go on serving afterwards")] = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """演一场小型活动：从承诺到台账。 Play a small campaign, from pledge to ledger."""
    settings = read_settings(data=data, orgs=(ORG,), pledge_database="", evaluation_database="")
    if at_a_terminal() and serve is None and not json_:
        serve = True
    if not serve:
        # Nobody will look in, so any free port will do.
        settings = settings.model_copy(update={"pledge_port": 0, "evaluation_port": 0})
    with needing_the_databases(), _emptied(data), (data / "avow.log").open("w", encoding="utf-8") as log:
        configure_logging(log)
        try:
            ok = asyncio.run(_play(settings, bool(serve), json_))
        except PortTaken as taken:
            fail(
                f"端口 {taken.port} 已被占用（{taken.service}）。",
                f"Port {taken.port} is in use ({taken.service}). Set AVOW_{taken.service.upper()}_PORT to another.",
            )
    raise typer.Exit(0 if ok else 1)


async def _play(settings: Settings, serve: bool, json_: bool) -> bool:
    clock = SimulatedClock(BEGINS)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(deployment(settings, Ports(clock)))
        pledge, evaluation = (Player(running.urls[name], running.token, ORG) for name in ("pledge", "evaluation"))
        stack.push_async_callback(pledge.close)
        stack.push_async_callback(evaluation.close)
        if not json_:
            out.print(f"\n[bold]{TITLE[0]} · 创先争优活动[/bold]  {TITLE[1]}，虚构 / fictional\n")
        stage = Stage(clock, pledge, evaluation, _quiet if json_ else _say)
        round_id = await play(stage)
        ledger = (await stage.evaluation.read("ledger", round_id=round_id))["items"]
        databases = {name: service.database for name, service in running.services.items()}
        events = {name: await database.read(_count) for name, database in databases.items()}
        (verdict,) = await examine(databases, ORG)
        played = Played(ledger, events, verdict)
        if json_:
            out.print(json.dumps(_as_json(stage.lines, played), ensure_ascii=False), soft_wrap=True, markup=False)
        else:
            _show(played)
        if serve:
            out.print("\n看一看 / look around:")
            say_where(running)
            await until_interrupted(running.stopped)
        return verdict.ok


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


def _as_json(lines: Sequence[Line], played: Played) -> dict[str, Any]:
    told = [{**asdict(line), "at": line.at.isoformat()} for line in lines]
    return {
        "ok": played.verdict.ok,
        "story": told,
        "ledger": list(played.ledger),
        "events": played.events,
        "verdict": played.verdict.as_json(),
    }


def _show(played: Played) -> None:
    table = Table(title="\n专项台账 / dedicated ledger", box=None, title_justify="left", padding=(0, 2, 0, 0))
    for header in (
        "单位\nunit",
        "应/实\ncast",
        "参评率\nturnout",
        "满意率\ngood",
        "公认度\nrecogn.",
        "诺/会/评",
        "结论",
    ):
        table.add_column(header, no_wrap=True, justify="left" if header[0] in "单结" else "right")
    for row in played.ledger:
        work = f"{row['pledges_made']}/{row['meetings_held']}/{row['comments']}"
        counts = (f"{row['eligible']}/{row['cast']}", _percent(row["turnout"]))
        result = (_percent(row["good_rate"]), _two(row["recognition"]), work, VALIDITY[row["validity"]])
        table.add_row(row["unit"], *counts, *result)
    out.print(table)
    out.print(
        "  公认度：前两级占比的 Wilson 下限，按类加权。诺/会/评：承诺、会议、点评数。\n"
        "  Recognition: Wilson bound of the top two grades. Then: pledges, meetings, comments.",
        soft_wrap=True,
    )
    events = Table(title="\n日志 / events in each log", box=None, title_justify="left", padding=(0, 2, 0, 0))
    for header in ("服务 service", "类型 type", "自有 own", "导入 imported"):
        events.add_column(header, no_wrap=True, justify="right" if header[0] in "自导" else "left")
    for service, counted in played.events.items():
        for n, (kind, (own, imported)) in enumerate(counted.items()):
            events.add_row(service if n == 0 else "", kind, str(own or ""), str(imported or ""))
        own, imported = (sum(column) for column in zip(*counted.values(), strict=True))
        events.add_row("", "[bold]合计 total[/bold]", f"[bold]{own}[/bold]", f"[bold]{imported}[/bold]")
    out.print(events)
    out.print()
    tell(played.verdict)


VALIDITY = {"valid": "有效 valid", "low": "偏低 low turnout", "invalid": "不公布 withheld"}


def _percent(share: str | None) -> str:
    return "—" if share is None else f"{Decimal(share) * 100:.2f}%"


def _two(figure: str | None) -> str:
    return "—" if figure is None else f"{Decimal(figure):.2f}"
