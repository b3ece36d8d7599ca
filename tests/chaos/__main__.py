"""`python -m tests.chaos`, or `make chaos`: the long run; the exit status is the verdict.

It writes `var/chaos.json`: kills, faults, events, lost, doubled, reordered, seconds, and more of the same, for each
engine and both together.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.course import Bounds, Outcome, chaos
from tests.chaos.faults import drawn
from tests.chaos.pair import Engine

RESULTS = Path("var/chaos.json")
SUMS = ("kills", "faults", "events", "acknowledged", "given_again", "verdicts", "lost", "doubled", "reordered",
        "unsound", "seconds")  # fmt: skip
out, err = Console(), Console(stderr=True)


def main(
    seed: Annotated[int, typer.Option(help="种子 / what everything is drawn from")] = 1,
    kills: Annotated[int, typer.Option(help="至多杀几次 / the most kills on each engine")] = 250,
    seconds: Annotated[float, typer.Option(help="至多几秒 / the most seconds on each engine")] = 400,
    engine: Annotated[str, typer.Option(help="sqlite, postgresql")] = "sqlite,postgresql",
    keep: Annotated[Path | None, typer.Option(help="保留现场的目录 / keep databases and logs there")] = None,
) -> None:
    """随机杀进程、断网、毁队列，逐轮对账。 Kill, cut off and corrupt at random, and hold to account, round by round."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    outcomes = []
    with Progress(*columns, console=err) as bar:
        for name in engine.split(","):
            chosen: Engine = "postgresql" if name == "postgresql" else "sqlite"
            task = bar.add_task(f"{name} 杀进程 / kills", total=kills)
            outcomes.append(_run(chosen, seed, Bounds(kills, seconds), keep, partial(_advance, bar, task)))
    report = _report(outcomes)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    _print(outcomes)
    raise typer.Exit(0 if report["ok"] else 1)


def _run(engine: Engine, seed: int, bounds: Bounds, keep: Path | None, tell: Callable[[Outcome], None]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="avow-chaos-") as temporary:
        folder = Path(temporary) if keep is None else keep / engine
        folder.mkdir(parents=True, exist_ok=True)
        return asyncio.run(chaos(engine, seed, drawn(seed, engine), bounds, folder, tell=tell))


def _advance(bar: Progress, task: TaskID, outcome: Outcome) -> None:
    bar.update(task, completed=outcome.kills)


def _report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    runs = [outcome.as_json() for outcome in outcomes]
    sums = {name: round(sum(run[name] for run in runs), 1) for name in SUMS}
    return {"ok": all(run["ok"] for run in runs), **sums, "runs": runs}


def _print(outcomes: Sequence[Outcome]) -> None:
    table = Table("引擎 engine", "杀 kills", "故障 faults", "事件 events", "重发 given again", "丢 lost", "重 doubled",
                  "乱 reordered", "其他 unsound", "秒 seconds", box=None, padding=(0, 2, 0, 0))  # fmt: skip
    for run in (outcome.as_json() for outcome in outcomes):
        names = ("engine", "kills", "faults", "events", "given_again", "lost", "doubled", "reordered", "unsound")
        table.add_row(*(str(run[name]) for name in names), str(run["seconds"]))
    out.print(table)
    for outcome in outcomes:
        wrong = outcome.verdict
        for kind, found in (("lost", wrong.lost), ("doubled", wrong.doubled), ("reordered", wrong.reordered),
                            ("unsound", wrong.unsound)):  # fmt: skip
            for what in found[:10]:
                out.print(f"[red]✗ {kind}[/red] {escape(what)}", soft_wrap=True)
    out.print(f"→ {RESULTS}")


if __name__ == "__main__":
    typer.run(main)
