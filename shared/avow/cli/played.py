"""What came of the demo, as it is shown at the end: the ledger, the candidates, the events, the verdict, what next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from avow.audit.verify import PairVerdict
from avow.cli.output import out
from avow.cli.verify import tell
from avow.demo.commending import AWARDS
from avow.demo.founding import TEMPLATE
from avow.demo.scene import PHASES, Scene
from avow.demo.stage import Line
from avow.programme import load

SHOWN = 3
"""How many places of each category are shown."""

Entry = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What the services answer when all is played: the units' last ledger rows, the candidates by phase and award."""

    ledger: Sequence[Entry]
    candidates: Mapping[str, Mapping[str, Sequence[Entry]]]


@dataclass(frozen=True)
class Played:
    """What came of the demo; `events` counts own and imported ones by service and type."""

    outcome: Outcome
    events: Mapping[str, Mapping[str, tuple[int, int]]]
    commands: int
    seconds: float
    verdict: PairVerdict

    @property
    def total(self) -> int:
        """How many events both logs hold."""
        return sum(own + imported for counted in self.events.values() for own, imported in counted.values())


async def outcome(scene: Scene) -> Outcome:
    """Read the ledger and the candidates, like anybody who looks them up."""
    evaluation, campaign_id = scene.stage.evaluation, scene.cast.campaign_id
    ledger = await evaluation.entries("ledger", subject="unit")
    last = ledger[-1]["round_id"]
    candidates = {
        phase.key: {
            award: await evaluation.entries("candidates", campaign_id=campaign_id, phase=phase.key, award=award)
            for award in AWARDS
        }
        for phase in PHASES
    }
    return Outcome([row for row in ledger if row["round_id"] == last], candidates)


def as_json(lines: Sequence[Line], played: Played) -> dict[str, Any]:
    """The same for a program."""
    return {
        "ok": played.verdict.ok,
        "story": [{**asdict(line), "at": line.at.isoformat()} for line in lines],
        "ledger": list(played.outcome.ledger),
        "candidates": played.outcome.candidates,
        "events": played.events,
        "commands": played.commands,
        "seconds": round(played.seconds, 1),
        "verdict": played.verdict.as_json(),
    }


def show(played: Played, data: Path) -> None:
    """For people: tables, then where to look next."""
    labels = {entry.key: entry.label.zh for entry in load(TEMPLATE).categories}
    _show_ledger(played.outcome.ledger, labels)
    for award, title in zip(AWARDS, TITLES, strict=True):
        _show_candidates(played.outcome.candidates[PHASES[-1].key][award], title, labels)
    commands, total, seconds = f"{played.commands:,}", f"{played.total:,}", f"{played.seconds:.0f}"
    rate = f"{played.total / played.seconds:,.0f}"
    out.print(
        f"\n{commands} 条命令、两本日志共 {total} 个事件，{seconds} 秒，每秒 {rate} 个事件。\n"
        f"[dim]{commands} commands, {total} events in both logs, {seconds} s, {rate} events a second.[/dim]\n",
        soft_wrap=True,
    )
    tell(played.verdict)
    _next(played.outcome, data)


TITLES = ("先进基层党组织 · 候选 / Advanced Unit, candidates", "优秀共产党员 · 候选 / Outstanding Member, candidates")
LEDGER = (
    "类别\ncat.",
    "单位\nunit",
    "应/实\ncast",
    "参评率\nturnout",
    "满意率\ngood",
    "公认度\nrecogn.",
    "诺/会/评",
    "结论\n",
)
CANDIDATES = (
    "类别\ncat.",
    "名次\nrank",
    "对象\nsubject",
    "总分\ntotal",
    "公认度\nrecogn.",
    "践诺\nfulfil.",
    "区间\nrange",
    "依据\n",
)
VALIDITY = {"valid": ("有效", "valid"), "low": ("偏低", "low turnout"), "invalid": ("不公布", "withheld")}
REASONS = {
    "total": ("总分", "by total"),
    "recognition": ("比公认度", "tie, by recognition"),
    "fulfilment": ("比践诺", "tie, by fulfilment"),
    "frontline": ("一线优先", "tie, frontline first"),
    "shared": ("并列", "shared"),
    "probationary": ("预备党员", "probationary"),
    "no_ledger_row": ("无台账", "no ledger row"),
    "withheld": ("未公布", "result withheld"),
    "no_work_record": ("无实绩", "no work record"),
    "below_floor": ("低于底线", "below the floor"),
}


def _show_ledger(rows: Sequence[Entry], labels: Mapping[str, str]) -> None:
    table = _table("专项台账：最近一轮，每类前三 / ledger: last round, best of each", LEDGER)
    best = sorted(rows, key=lambda row: (row["category"], -Decimal(row["recognition"] or 0), row["seq"]))
    for n, row in _top(best):
        work = f"{row['pledges_made']}/{row['meetings_held']}/{row['comments']}"
        counts = (f"{row['eligible']}/{row['cast']}", _percent(row["turnout"]))
        result = (_percent(row["good_rate"]), _two(row["recognition"]), work, VALIDITY[row["validity"]][0])
        table.add_row(labels[row["category"]] if n == 0 else "", row["unit"], *counts, *result)
    out.print(table)
    _legend(VALIDITY[row["validity"]] for _, row in _top(best))
    out.print(
        "  公认度：前两级占比的 Wilson 下限，按类加权。诺/会/评：到此时的承诺、会议、点评数。\n"
        "  [dim]Recognition: Wilson bound of the top two grades. Then: pledges, meetings, comments by then.[/dim]",
        soft_wrap=True,
    )


def _show_candidates(places: Sequence[Entry], title: str, labels: Mapping[str, str]) -> None:
    table = _table(title, CANDIDATES)
    for n, place in _top(places):
        subject = place["name"] or "已删除 / erased"
        if place["subject"] == "member":
            subject += f" {place['unit']}"
        ranks = "—" if place["best_rank"] is None else f"{place['best_rank']}–{place['worst_rank']}"
        figures = (_two(place["total"]), _two(place["recognition"]), _percent(place["fulfilment"]), ranks)
        rank = "—" if place["rank"] is None else str(place["rank"])
        category = labels[place["category"]] if n == 0 else ""
        table.add_row(category, rank, escape(subject), *figures, REASONS[place["reason"]][0])
    out.print(table)
    _legend(REASONS[place["reason"]] for _, place in _top(places))


def _legend(words: Iterable[tuple[str, str]]) -> None:
    said = "，".join(f"{zh} {en}" for zh, en in sorted(set(words)))
    out.print(f"  [dim]{said}[/dim]", soft_wrap=True)


def _next(outcome: Outcome, data: Path) -> None:
    first = outcome.candidates[PHASES[-1].key][AWARDS[0]][0]["assessment_id"]
    out.print("\n接着看 / where to look next")
    for command, zh, en in (
        (f"avow explain score {first}", "一个得分，一直追到事件", "a score, down to the events"),
        ("avow asof dedicated_ledger --at 2011-06-30", "某一天的台账", "the ledger of another day"),
        ("avow diff register --from 2011-12-31 --to 2012-01-31", "合并前后变了什么", "what the merger changed"),
        ("avow verify", "再核验一遍", "verify once more"),
    ):
        out.print(f"  {command} --data {data}\n      [dim]{zh} / {en}[/dim]", soft_wrap=True)


def _table(title: str, headers: Sequence[str]) -> Table:
    """An empty table; words stand left, figures right."""
    table = Table(title=f"\n{title}", box=None, title_justify="left", padding=(0, 1, 0, 0))
    for header in headers:
        table.add_column(header, no_wrap=True, justify="left" if header[:2] in ("类别", "单位", "对象") else "right")
    return table


def _top(rows: Sequence[Entry]) -> list[tuple[int, Entry]]:
    """The first rows of each category, each with its place among them from 0."""
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        n = seen.get(row["category"], 0)
        seen[row["category"]] = n + 1
        if n < SHOWN:
            found.append((n, row))
    return found


def _percent(share: str | None) -> str:
    return "—" if share is None else f"{Decimal(share) * 100:.2f}%"


def _two(figure: str | None) -> str:
    return "—" if figure is None else f"{Decimal(figure):.2f}"
