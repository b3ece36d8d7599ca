"""`avow rebuild`: a view folded anew beside the live one, compared with it, and switched to.

The exit status is the verdict: 0 the same as before, or nothing to compare with; 1 switched, and it differs from what
was shown before; 2 nothing was switched.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from avow.cli.databases import opened, require_databases
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.cli.views import Bar, Chosen, Org, Service, books, chosen, one_book
from avow.eventlog.types import EventTypes
from avow.projections.folding import CannotFold
from avow.projections.rebuild import Difference, Missing, NothingKept, Rebuilt, Superseded, roll_back
from avow.projections.rebuild import rebuild as rebuilt
from avow.service.settings import Settings


def rebuild(
    name: Annotated[str, typer.Argument(help="视图 / the view, such as pledge_wall")],
    rollback: Annotated[bool, typer.Option("--rollback", help="换回上一次的 / go back to the one before")] = False,
    data: Annotated[Path | None, typer.Option(help="数据目录 / folder of the databases")] = None,
    service: Service = None,
    org: Org = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """从日志重建一个视图，核对后切换；服务照常运行。 Fold a view anew beside the running services, check it, switch."""
    if rollback and org is not None:
        fail("--rollback 对所有组织一起生效，不能加 --org。", "--rollback is for every organisation; leave out --org.")
    settings = read_settings(data=data)
    view = chosen(name, service)
    require_databases(settings, [view.service])
    with needing_the_databases():
        done = asyncio.run(_rebuild(settings, view, org, rollback))
    if json_:
        out.print(json.dumps(_as_json(view, done), ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        tell(done)
    raise typer.Exit(1 if done.differences else 0)


def tell(done: Rebuilt) -> None:
    """What is live now, and what differs from before, in both languages."""
    for difference in done.differences:
        _tell_difference(difference)
    at = "、".join(f"{org} {position}" for org, position in done.positions.items())
    what = f"{done.projection} v{done.version}"
    out.print(f"[green]✓[/green] {what}：第 {done.build} 次构建已上线（{at}）。", soft_wrap=True)
    out.print(f"  Build {done.build} of {what} is live ({at.replace('、', ', ')}).", soft_wrap=True)
    if done.differences:
        out.print("[yellow]![/yellow] 与先前所示不同，见上；要换回，请加 --rollback。", soft_wrap=True)
        out.print("  It differs from what was shown before, see above; --rollback goes back.", soft_wrap=True)
    elif done.compared:
        out.print("  与先前逐字节一致。 The same as before, byte for byte.", soft_wrap=True)


def _tell_difference(one: Difference) -> None:
    now = f"{one.rebuilt.rows} 行 rows {one.rebuilt.checksum[:12]}…"
    was = "表已不在 gone" if one.live is None else f"{one.live.rows} 行 rows {one.live.checksum[:12]}…"
    out.print(
        f"[yellow]≠[/yellow] {one.org} 位置 position {one.position}  {one.table}：先前 before {was}，现在 now {now}",
        soft_wrap=True,
    )


def _as_json(view: Chosen, done: Rebuilt) -> dict[str, object]:
    return {
        "same": not done.differences,
        "service": view.service,
        "projection": done.projection,
        "version": done.version,
        "build": done.build,
        "before": done.before,
        "positions": done.positions,
        "compared_at": done.compared,
        "differences": [
            {
                "org": one.org,
                "table": one.table,
                "position": one.position,
                "before": None if one.live is None else one.live._asdict(),
                "now": one.rebuilt._asdict(),
            }
            for one in done.differences
        ],
    }


async def _rebuild(settings: Settings, view: Chosen, org: str | None, rollback: bool) -> Rebuilt:
    types = EventTypes(view.blueprint.event_types)
    async with AsyncExitStack() as stack:
        database = (await opened(stack, settings, [view.service]))[view.service]
        await (books(database) if org is None else one_book(database, org))
        bar = stack.enter_context(Bar(f"重建 / rebuilding {view.projection.name}"))
        try:
            if rollback:
                return await roll_back(database, view.projection, types, bar)
            return await rebuilt(database, view.projection, types, org, bar)
        except CannotFold as error:
            fail(
                f"重建停在位置 {error.position}：此事件与视图不合（{error.reason}）。原来的视图未动。",
                f"The rebuild stopped at position {error.position}: the event does not fit the view ({error.reason}). "
                "The live view is untouched; correct the program, then rebuild again.",
            )
        except Superseded:
            fail(
                "另一次重建已经开始或完成，这一次作罢。",
                "Another rebuild of this view was begun or finished meanwhile; this one was given up.",
            )
        except NothingKept:
            fail("没有可以换回的上一次构建。", "There is no earlier build to go back to.")
        except Missing:
            fail(
                "视图的表已不在，不能只重建一个组织；请去掉 --org。",
                "The view's tables are gone, so one organisation alone cannot be rebuilt; leave out --org.",
            )
