"""The members of each branch are reviewed by one another and by representatives of the public (R-42)."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from avow.demo.client import Ask, Refused
from avow.demo.founding import BranchCast
from avow.demo.reviewing import ROUNDS, RoundDays, issuing
from avow.demo.scene import Act, Scene
from avow.demo.stage import moment

CLASSES = ("peer", "mass")
HELD = tuple(days for days in ROUNDS if not days.only)


def rating(scene: Scene) -> Iterator[Act]:
    """One round a branch, in the middle of each round on the units."""
    for days in HELD:
        yield Act(moment(days.opens + timedelta(days=2)), partial(_rate, scene, days))


async def _rate(scene: Scene, days: RoundDays) -> None:
    stage, evaluation = scene.stage, scene.stage.evaluation
    await stage.heard()
    day = days.opens + timedelta(days=2)
    stage.at(day, 9)
    branches = list(scene.cast.branches.values())
    rounds = await evaluation.create_all(
        Ask(
            "rounds",
            {
                "campaign_id": scene.cast.campaign_id,
                "title": {"zh": f"党员评议 · {days.zh}", "en": f"Members: {days.en}"},
                "subject": "member",
                "unit_id": entry.unit_id,
                "opens_at": moment(day, 10).isoformat(),
                "closes_at": moment(day, 20).isoformat(),
            },
        )
        for entry in branches
    )
    held = list(zip(rounds, branches, strict=True))
    await evaluation.all(
        Ask(f"rounds/{round_id}/electorate", {"parts": [_representatives(scene, entry)]}) for round_id, entry in held
    )
    issued = await evaluation.in_turn(issuing(round_id, [(entry, key) for key in CLASSES]) for round_id, entry in held)
    stage.at(day, 10)
    await evaluation.all(Ask(f"rounds/{round_id}/open", {}) for round_id in rounds)
    ballots = [
        Ask(f"rounds/{round_id}/ballots", {"credential": credential, "rows": _rows(scene, days, entry, key, n)})
        for (round_id, entry), answers in zip(held, issued, strict=True)
        for key, answer in zip(CLASSES, answers, strict=True)
        for n, credential in enumerate(answer["credentials"])
        if scene.dice.chance(92 if key == "peer" else 85, "rates", days.key, entry.branch.key, key, n)
    ]
    if days is HELD[0]:
        await _rate_oneself(scene, ballots[0])
    await evaluation.all(ballots)
    stage.at(day, 20)
    await evaluation.all(Ask(f"rounds/{round_id}/close", {}) for round_id in rounds)
    stage.tell(
        f"党员互评和群众代表评议：{len(ballots)} 张票，结果只在本支部范围内。",
        f"Members are reviewed by peers and representatives: {len(ballots)} ballots; results stay within the branch.",
    )


async def _rate_oneself(scene: Scene, ballot: Ask) -> None:
    rows = {row: grade or "excellent" for row, grade in ballot.body["rows"].items()}
    try:
        await scene.stage.evaluation.ask(ballot.path, {**ballot.body, "rows": rows})
    except Refused as refused:
        scene.stage.tell_refusal("互评票上给自己也打了分", "A peer's ballot grades its own row too", refused)


def _representatives(scene: Scene, entry: BranchCast) -> dict[str, Any]:
    count = scene.cast.college.representatives
    entries = [f"代表{entry.branch.key[1:]}{k:02}" for k in range(1, count + 1)]
    return {"unit_id": entry.unit_id, "rater_class": "mass", "entries": entries}


def _rows(scene: Scene, days: RoundDays, entry: BranchCast, rater_class: str, n: int) -> dict[str, Any]:
    """One overall grade for each member; of the n-th peer all but their own."""
    rows: dict[str, Any] = {}
    for k, member in enumerate(entry.members):
        own = rater_class == "peer" and k == n
        rows[f"member.{member}"] = None if own else _grade(scene, days, entry, k, rater_class, n)
    return rows


def _grade(scene: Scene, days: RoundDays, entry: BranchCast, k: int, rater_class: str, n: int) -> str:
    merit = entry.branch.regard - 22 + scene.dice.below(33, "merit", entry.branch.key, k)
    well = min(98, max(5, merit))
    weights = (
        ("excellent", 6 * well),
        ("qualified", 4 * well),
        ("basically_qualified", 8 * (100 - well)),
        ("unqualified", 2 * (100 - well)),
    )
    return scene.dice.among(weights, "rates", days.key, entry.branch.key, k, rater_class, n)
