"""The public and the members review the units, round by round: announced, frozen, opened, voted in, closed (R-41)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from avow.demo.client import Ask, Refused
from avow.demo.founding import BranchCast
from avow.demo.scene import Act, Scene
from avow.demo.stage import moment

ROWS = ("organising", "central_tasks", "pledge_keeping", "practical_help", "building")
THIN = "B12"
"""The branch whose public hardly comes at first (C2)."""


@dataclass(frozen=True)
class RoundDays:
    """A round: its name, from when to when, and the branches it is on (all where none is named)."""

    key: str
    zh: str
    en: str
    opens: date
    closes: date
    only: tuple[str, ...] = ()
    rehearsal: bool = False


ROUNDS = (
    RoundDays(
        "R0", "评议演练", "Rehearsal of the review", date(2010, 11, 22), date(2010, 11, 25), ("B01", "B08"),
        rehearsal=True
    ),
    RoundDays(
        "R1", "2010 年下半年群众评议", "Mass review, second half of 2010", date(2010, 12, 6), date(2010, 12, 17)
    ),
    RoundDays(
        "R1b", "2010 年下半年群众评议（重评）", "Mass review, second half of 2010, held again", date(2010, 12, 21),
        date(2010, 12, 29), (THIN,)
    ),
    RoundDays("R2", "2011 年上半年群众评议", "Mass review, first half of 2011", date(2011, 5, 16), date(2011, 5, 27)),
    RoundDays("R3", "2011 年下半年群众评议", "Mass review, second half of 2011", date(2011, 12, 5), date(2011, 12, 16)),
    RoundDays("R4", "2012 年上半年群众评议", "Mass review, first half of 2012", date(2012, 5, 14), date(2012, 5, 25)),
)  # fmt: skip
VOTING = 3
"""On so many evenings of a round people vote."""

Part = tuple[BranchCast, str]


@dataclass
class _Round:
    """A round under way: its identity, and the credentials in the raters' hands."""

    days: RoundDays
    round_id: str = ""
    credentials: Mapping[tuple[str, str], Sequence[str]] | None = None
    cast: int = 0


def reviewing(scene: Scene) -> Iterator[Act]:
    """Each round from its announcement to its close."""
    for days in ROUNDS:
        under_way = _Round(days)
        yield Act(moment(days.opens - timedelta(days=3)), partial(_announce, scene, under_way))
        yield Act(moment(days.opens, 8), partial(_open, scene, under_way))
        for evening in evenings(days):
            yield Act(moment(evening, 19, 30), partial(_vote, scene, under_way, evening))
        yield Act(moment(days.closes, 18), partial(_close, scene, under_way))


def evenings(days: RoundDays) -> list[date]:
    """The evenings on which people vote."""
    apart = (days.closes - days.opens).days // VOTING
    return [days.opens + timedelta(days=n * apart) for n in range(VOTING)]


async def _announce(scene: Scene, under_way: _Round) -> None:
    stage, days = scene.stage, under_way.days
    await stage.heard()
    stage.at(days.opens - timedelta(days=3))
    subjects = _subjects(scene, days)
    under_way.round_id = await stage.evaluation.create(
        "rounds",
        {
            "campaign_id": scene.cast.campaign_id,
            "title": {"zh": days.zh, "en": days.en},
            "subjects": [entry.unit_id for entry in subjects],
            "opens_at": moment(days.opens, 8).isoformat(),
            "closes_at": moment(days.closes, 18).isoformat(),
            "rehearsal": days.rehearsal,
        },
    )
    stage.at(days.opens - timedelta(days=3), 15)
    rolls = [{"unit_id": entry.unit_id, "rater_class": "mass", "entries": list(_roll(entry))} for entry in subjects]
    await stage.evaluation.ask(f"rounds/{under_way.round_id}/electorate", {"parts": rolls})
    parts = [(entry, rater_class) for entry in subjects for rater_class in ("mass", "members")]
    # One after the other: each is a step of the round's own.
    (issued,) = await stage.evaluation.in_turn([issuing(under_way.round_id, parts)])
    under_way.credentials = {
        (entry.branch.key, rater_class): answer["credentials"]
        for (entry, rater_class), answer in zip(parts, issued, strict=True)
    }
    count = sum(len(part) for part in under_way.credentials.values())
    stage.tell(
        f"{days.zh}：冻结参评名单，发放 {count} 个一次性凭证；凭证只显示一次，库里只有散列。",
        f"{days.en}: the electorate is frozen, {count} one-time credentials are issued; only hashes are kept.",
    )


def issuing(round_id: str, parts: Iterable[Part]) -> list[Ask]:
    """To issue the credentials of these parts of a round's electorate."""
    return [
        Ask(f"rounds/{round_id}/credentials", {"unit_id": entry.unit_id, "rater_class": rater_class})
        for entry, rater_class in parts
    ]


async def _open(scene: Scene, under_way: _Round) -> None:
    scene.stage.at(under_way.days.opens, 8)
    await scene.stage.evaluation.ask(f"rounds/{under_way.round_id}/open", {})


async def _vote(scene: Scene, under_way: _Round, evening: date) -> None:
    stage, days = scene.stage, under_way.days
    stage.at(evening, 19, 30)
    turn = evenings(days).index(evening)
    assert under_way.credentials is not None
    path = f"rounds/{under_way.round_id}/ballots"
    ballots = [
        Ask(path, {"credential": credential, "rows": _rows(scene, days, entry, rater_class, n)})
        for entry in _subjects(scene, days)
        for rater_class in ("mass", "members")
        for n, credential in enumerate(under_way.credentials[entry.branch.key, rater_class])
        if n % VOTING == turn and _comes(scene, days, entry, rater_class, n)
    ]
    await stage.evaluation.all(ballots)
    under_way.cast += len(ballots)
    stage.at(evening, 21)
    await stage.evaluation.ask(f"rounds/{under_way.round_id}/report", {})
    if days.key == "R1" and turn == 0:
        try:
            await stage.evaluation.ask(ballots[0].path, ballots[0].body)
        except Refused as refused:
            stage.tell_refusal("有人用同一凭证再投一次", "Somebody votes again with the same credential", refused)


async def _close(scene: Scene, under_way: _Round) -> None:
    stage, days = scene.stage, under_way.days
    stage.at(days.closes, 18)
    await stage.evaluation.ask(f"rounds/{under_way.round_id}/close", {})
    zh, en = (
        ("演练不入台账", "a rehearsal enters no ledger")
        if days.rehearsal
        else ("计票入台账", "tallied into the ledger")
    )
    stage.tell(f"{days.zh}：{under_way.cast} 人投票，{zh}。", f"{days.en}: {under_way.cast} people voted; {en}.")


def _subjects(scene: Scene, days: RoundDays) -> list[BranchCast]:
    return [entry for key, entry in scene.cast.branches.items() if not days.only or key in days.only]


def _roll(entry: BranchCast) -> Iterator[str]:
    """Invented student and staff numbers."""
    return (f"2010{entry.branch.key[1:]}{k:04}" for k in range(1, entry.branch.public + 1))


def _comes(scene: Scene, days: RoundDays, entry: BranchCast, rater_class: str, n: int) -> bool:
    if (days.key, entry.branch.key) == ("R1", THIN):
        # Of the public one in forty comes, of the members nobody.
        return rater_class == "mass" and n < max(2, entry.branch.public // 40)
    likely = 72 if rater_class == "mass" else 90
    return scene.dice.chance(likely, "comes", days.key, entry.branch.key, rater_class, n)


def _rows(scene: Scene, days: RoundDays, entry: BranchCast, rater_class: str, n: int) -> dict[str, Any]:
    """What one rater says of a unit: row by row, round a mood of their own."""
    drawn = days.key, entry.branch.key, rater_class, n
    if (days.key, entry.branch.key) == ("R1", THIN):
        return dict.fromkeys(ROWS, "satisfied")
    mood = scene.dice.below(21, "mood", *drawn) - 10
    return {row: _grade(scene, entry, mood, *drawn, row) for row in ROWS}


def _grade(scene: Scene, entry: BranchCast, mood: int, *drawn: object) -> str | None:
    if scene.dice.chance(3, "abstains", *drawn):
        return None
    well = min(97, entry.branch.regard + mood)
    grades = (("satisfied", 6 * well), ("fairly_satisfied", 4 * well))
    rest = (("basically_satisfied", 7 * (100 - well)), ("not_satisfied", 3 * (100 - well)))
    return scene.dice.among((*grades, *rest), "grade", *drawn)
