"""Work plans are drafted and adopted, pledges drafted, refused where something is missing, and made (R-24…R-29)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from avow.demo.client import Ask, Refused
from avow.demo.founding import BranchCast
from avow.demo.scene import PHASES, Act, PhaseDays, Scene
from avow.demo.stage import moment
from avow.demo.words import BY_MEMBERS, BY_UNITS, PLAN, Promise

SILENT = 3
"""How many members in a hundred promise nothing."""


@dataclass(frozen=True)
class Pledged:
    """A pledge that was made: by a member, or by a unit, for which its secretary speaks."""

    pledge_id: str
    member: str | None
    entry: BranchCast
    items: int

    @property
    def author(self) -> str:
        return self.member or self.entry.secretary

    @property
    def vetted_by(self) -> str | None:
        """The secretary, but not of their own: those are the office's."""
        return None if self.author == self.entry.secretary else self.entry.secretary


Made = dict[str, list[Pledged]]
"""The pledges made, by phase."""


def promising(scene: Scene, made: Made) -> Iterator[Act]:
    """Plans, then pledges, in both phases; what is promised is noted in `made`."""
    for phase in PHASES:
        days = partial(_after, phase.pledged)
        yield Act(days(-2), partial(_plan, scene, phase))
        yield Act(days(0), partial(_draft, scene, phase, made))
        yield Act(days(1), partial(_submit, scene, phase, made))
        yield Act(days(4), partial(_approve, scene, phase, made))
        yield Act(days(7), partial(_publish, scene, phase, made))


def _after(day: date, days: int) -> datetime:
    return moment(day + timedelta(days=days))


async def _plan(scene: Scene, phase: PhaseDays) -> None:
    stage, cast = scene.stage, scene.cast
    stage.at(phase.pledged - timedelta(days=2))
    branches = list(cast.branches.values())
    plans = await stage.pledge.create_all(
        Ask(
            "work_plans",
            {
                "campaign_id": cast.campaign_id,
                "unit_id": entry.unit_id,
                "phase": phase.key,
                "scope": "college",
                "service_audience": "全院师生",
                "items": [_entry(entry, phase, words) for words in PLAN],
            },
            entry.secretary,
        )
        for entry in branches
    )
    stage.at(phase.pledged - timedelta(days=2), 16)
    await stage.pledge.all(
        Ask(f"work_plans/{plan_id}/adopt", {}, entry.secretary) for plan_id, entry in zip(plans, branches, strict=True)
    )
    stage.tell(
        f"{len(plans)} 个支部制定并通过工作方案：目标、任务、措施、时间节点、责任人齐全。",
        f"{len(plans)} branches adopt their work plans: goal, task, measure, milestones, who answers for it.",
    )


async def _draft(scene: Scene, phase: PhaseDays, made: Made) -> None:
    stage, cast, dice = scene.stage, scene.cast, scene.dice
    stage.at(phase.pledged)
    drafts: list[tuple[dict[str, Any], str | None, BranchCast]] = []
    for entry in cast.units:
        for n, member in enumerate(entry.members):
            if n and dice.chance(SILENT, "silent", phase.key, entry.branch.key, n):
                continue
            first = dice.below(len(BY_MEMBERS), "promise", phase.key, entry.branch.key, n)
            promises = [BY_MEMBERS[(first + k) % len(BY_MEMBERS)] for k in range(2)]
            drafts.append((_by_member(scene, phase, entry, member, promises), member, entry))
        if entry.branch.category:
            drafts.append((_by_unit(scene, phase, entry), None, entry))
    ids = await stage.pledge.create_all(
        Ask("pledges", body, member or entry.secretary) for body, member, entry in drafts
    )
    pledges = [
        Pledged(pledge_id, member, entry, len(body["items"]))
        for pledge_id, (body, member, entry) in zip(ids, drafts, strict=True)
    ]
    if phase is PHASES[0]:
        await _an_incomplete_one(scene, pledges[0], drafts[0][0])
    made[phase.key] = pledges


async def _submit(scene: Scene, phase: PhaseDays, made: Made) -> None:
    scene.stage.at(phase.pledged + timedelta(days=1))
    await scene.stage.pledge.all(Ask(f"pledges/{p.pledge_id}/submit", {}, p.author) for p in made[phase.key])


async def _approve(scene: Scene, phase: PhaseDays, made: Made) -> None:
    scene.stage.at(phase.pledged + timedelta(days=4))
    await scene.stage.pledge.all(Ask(f"pledges/{p.pledge_id}/approve", {}, p.vetted_by) for p in made[phase.key])


async def _publish(scene: Scene, phase: PhaseDays, made: Made) -> None:
    stage, pledges = scene.stage, made[phase.key]
    stage.at(phase.pledged + timedelta(days=7))
    await stage.pledge.all(Ask(f"pledges/{p.pledge_id}/make", {"channel": "website"}, p.author) for p in pledges)
    stage.tell(
        f"{len(pledges)} 份承诺经审定在全院公布，从此文字冻结。",
        f"{len(pledges)} pledges are approved and made public to the college; from now on their text is frozen.",
    )


async def _an_incomplete_one(scene: Scene, pledged: Pledged, body: dict[str, Any]) -> None:
    first, *rest = body["items"]
    lacking = {**body, "items": [{**first, "milestones": []}, *rest]}
    await scene.stage.pledge.ask(f"pledges/{pledged.pledge_id}/draft", lacking, pledged.author)
    try:
        await scene.stage.pledge.ask(f"pledges/{pledged.pledge_id}/submit", {}, pledged.author)
    except Refused as refused:
        scene.stage.tell_refusal("一份承诺没写时间节点就提交", "A pledge is submitted without a milestone", refused)
    await scene.stage.pledge.ask(f"pledges/{pledged.pledge_id}/draft", body, pledged.author)


def _by_member(
    scene: Scene, phase: PhaseDays, entry: BranchCast, member: str, promises: Sequence[Promise]
) -> dict[str, Any]:
    return _body(scene, entry, {"kind": "member", "id": member}, [_item(phase, member, p) for p in promises])


def _by_unit(scene: Scene, phase: PhaseDays, entry: BranchCast) -> dict[str, Any]:
    items = [
        _item(
            phase,
            entry.secretary,
            Promise(criterion, aim, f"做到{goal}", "支委分工落实", "每月检查一次", f"{goal}有记录", *counted),
        )
        for criterion, aim, goal, *counted in BY_UNITS
    ]
    return _body(scene, entry, {"kind": "unit", "id": entry.unit_id}, items)


def _body(scene: Scene, entry: BranchCast, pledger: Mapping[str, str], items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "campaign_id": scene.cast.campaign_id,
        "unit_id": entry.unit_id,
        "pledger": pledger,
        "scope": "college",
        "items": items,
    }


def _item(phase: PhaseDays, person_id: str, promised: Promise) -> dict[str, Any]:
    return {
        "criterion": promised.criterion,
        "aims": [promised.aim],
        "goal": promised.goal,
        "task": promised.task,
        "measure": promised.measure,
        "qualitative_indicators": [promised.qualitative],
        "quantitative_indicators": [
            {
                "name": promised.metric,
                "metric_unit": promised.metric_unit,
                "baseline": promised.baseline,
                "target": promised.target,
                "direction": promised.direction,
            }
        ],
        "milestones": _milestones(phase),
        "accountable_person_id": person_id,
    }


def _entry(entry: BranchCast, phase: PhaseDays, words: tuple[str, str, str]) -> dict[str, Any]:
    goal, task, measure = words
    return {
        "goal": goal,
        "task": task,
        "measure": measure,
        "milestones": _milestones(phase),
        "accountable_person_id": entry.secretary,
    }


def _milestones(phase: PhaseDays) -> list[str]:
    return [day.isoformat() for day in (date(phase.due.year - 1, 12, 31), phase.due)]
