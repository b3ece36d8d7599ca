"""Branches meet month by month and quarter by quarter, leaders comment, and the office says what came of each duty
(R-33…R-40)."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

from avow.demo.client import Ask, Refused
from avow.demo.founding import BranchCast
from avow.demo.scene import MONTHS, Act, Scene
from avow.demo.stage import moment
from avow.demo.words import DIRECTIONS, SHORTCOMINGS, STRENGTHS

RALLY = date(2010, 6, 10)
IDLE = "B08"
IDLE_MONTHS = (date(2011, 3, 1), date(2011, 4, 1), date(2011, 5, 1), date(2011, 6, 1))
GRADED = (date(2011, 6, 1), date(2012, 6, 1))
"""Once a phase the leaders grade every member."""
FILED = date(2011, 6, 28)
"""The evening on which a branch enters four months' minutes at once (C1)."""


def meeting(scene: Scene) -> Iterator[Act]:
    """The meetings, and twice a month the clerk who assesses what is ripe."""
    yield Act(moment(RALLY, 14), partial(_mobilise, scene))
    for month in MONTHS:
        yield Act(moment(month.replace(day=24), 15), partial(_monthly, scene, month))
        if month.month % 3 == 0 and month >= date(2010, 9, 1):
            yield Act(moment(month.replace(day=26), 15), partial(_quarterly, scene, month))
        if month.month in (6, 12) and month >= date(2010, 12, 1):
            yield Act(moment(month.replace(day=27)), partial(_assembly, scene, month))
        for day in (8, 18):
            yield Act(moment(month.replace(day=day), 7), partial(_assess, scene, month.replace(day=day)))
    yield Act(moment(FILED, 20), partial(_file_late, scene))


async def _mobilise(scene: Scene) -> None:
    stage, cast = scene.stage, scene.cast
    stage.at(RALLY, 14)
    everywhere = [*cast.units, _committee(scene)]
    await stage.pledge.all(
        Ask("meetings", _body(scene, entry, "mobilisation", "传达方案，学习文件，统一思想。", entry.branch.key))
        for entry in everywhere
    )
    stage.tell(f"{len(everywhere)} 个单位召开动员大会。", f"{len(everywhere)} units hold their mobilisation rallies.")


async def _monthly(scene: Scene, month: date) -> None:
    scene.stage.at(month.replace(day=24), 15)
    await scene.stage.pledge.all(
        Ask("meetings", _committee_meeting(scene, entry, month), entry.secretary)
        for entry in scene.cast.branches.values()
        if scene.dice.chance(entry.branch.punctual, "meets", entry.branch.key, month) and not _idle(entry, month)
    )


def _idle(entry: BranchCast, month: date) -> bool:
    return entry.branch.key == IDLE and month in IDLE_MONTHS


def _committee_meeting(scene: Scene, entry: BranchCast, month: date) -> dict[str, Any]:
    return _body(scene, entry, "branch_committee", f"{month:%Y 年 %m 月}：逐项对照承诺，研究推进情况。", month)


async def _quarterly(scene: Scene, month: date) -> None:
    stage, cast = scene.stage, scene.cast
    stage.at(month.replace(day=26), 15)
    units = cast.units
    meetings = await stage.pledge.create_all(
        Ask("meetings", _body(scene, entry, "stage_summary", "总结本季度，安排下一季度。", month), entry.secretary)
        for entry in units
    )
    graded = month in GRADED
    await stage.pledge.in_turn(
        [
            _comment(scene, meeting_id, entry, leader, month),
            *(_on_members(scene, meeting_id, entry, leader, month) if graded else ()),
        ]
        for meeting_id, entry, leader in zip(meetings, units, _commentators(scene, units, month), strict=True)
    )
    if month == date(2010, 9, 1):
        stage.tell(
            f"{len(units)} 个单位开了季度总结会，领导小组成员逐一点评：肯定成绩、指出不足、提出方向。",
            f"{len(units)} units hold their quarterly summaries, each with a three-part leader's comment.",
        )


def _on_members(scene: Scene, meeting_id: str, entry: BranchCast, leader: str, month: date) -> Iterator[Ask]:
    return (
        _comment(scene, meeting_id, entry, leader, month, member) for member in entry.members if entry.branch.category
    )


def _comment(
    scene: Scene, meeting_id: str, entry: BranchCast, leader: str, month: date, member: str | None = None
) -> Ask:
    """What a leader says of a unit, or of a member of it."""
    drawn = entry.branch.key, month, "unit" if member is None else entry.members.index(member)
    body = {
        "strengths": scene.dice.pick(STRENGTHS, "strengths", *drawn),
        "shortcomings": scene.dice.pick(SHORTCOMINGS, "shortcomings", *drawn),
        "directions": scene.dice.pick(DIRECTIONS, "directions", *drawn),
        "grade": min(98, max(60, entry.branch.work - 6 + scene.dice.below(15, "grade", *drawn))),
    }
    return Ask(f"meetings/{meeting_id}/comments", body if member is None else {**body, "person_id": member}, leader)


def _commentators(scene: Scene, units: list[BranchCast], month: date) -> Iterator[str]:
    """Each leader in turn, but none about the unit they lead."""
    for n, entry in enumerate(units):
        leaders = [leader for leader in scene.cast.leaders.values() if leader not in entry.members]
        yield leaders[(n + month.month) % len(leaders)]


async def _assembly(scene: Scene, month: date) -> None:
    scene.stage.at(month.replace(day=27), 9)
    body = _body(scene, _committee(scene), "members_assembly", "总结半年工作，部署下一步。", month)
    await scene.stage.pledge.ask("meetings", body)


async def _file_late(scene: Scene) -> None:
    """C1"""
    stage, entry = scene.stage, scene.cast.branches[IDLE]
    stage.at(FILED, 20)
    for n, month in enumerate(IDLE_MONTHS):
        body = _committee_meeting(scene, entry, month)
        body["occurred_at"] = moment(month.replace(day=24), 15).isoformat()
        if month.replace(day=24) < FILED - timedelta(days=7):
            if n == 0:
                try:
                    await stage.pledge.ask("meetings", body, entry.secretary)
                except Refused as refused:
                    stage.tell_refusal(
                        "一个支部督查前夜补录会议",
                        "A branch enters old meetings the night before an inspection",
                        refused,
                    )
            body["late_reason"] = "会议记录整理拖延，本次集中补录"
        await stage.pledge.ask("meetings", body, entry.secretary)
    for month in IDLE_MONTHS[:3]:
        await _assess_one(scene, "monthly_committee", month)
    stage.tell(
        f"{entry.branch.name}一晚补录 {len(IDLE_MONTHS)} 次会议；当时欠缺、后来补上，两个时间都在账上。",
        "Four months' minutes entered in one evening: what was missed then and recorded later, both stand in the log.",
    )


async def _assess(scene: Scene, day: date) -> None:
    scene.stage.at(day, 7)
    rounds = await scene.stage.pledge.read("obligations/rounds", campaign_id=scene.cast.campaign_id)
    for ripe in rounds["items"]:
        if ripe["ripe"]:
            await _assess_one(scene, ripe["obligation"], date.fromisoformat(ripe["starts_on"]))


async def _assess_one(scene: Scene, obligation: str, starts_on: date) -> None:
    body = {"campaign_id": scene.cast.campaign_id, "obligation": obligation, "starts_on": starts_on.isoformat()}
    await scene.stage.pledge.ask("obligations/rounds", body)


def _committee(scene: Scene) -> BranchCast:
    """The committee as a unit that meets: its head in the chair, twenty who are expected."""
    head = next(iter(scene.cast.leaders.values()))
    return BranchCast(scene.cast.generals[0].branch, scene.cast.committee_id, head, [head] * 20)


def _body(scene: Scene, entry: BranchCast, kind: str, summary: str, *what: object) -> dict[str, Any]:
    expected = len(entry.members)
    away = scene.dice.below(1 + expected // 6, "away", kind, entry.branch.key, *what)
    return {
        "campaign_id": scene.cast.campaign_id,
        "unit_id": entry.unit_id,
        "kind": kind,
        "agenda": ["campaign", "routine"],
        "chair_id": entry.secretary,
        "present": expected - away,
        "expected": expected,
        "scope": "college",
        "summary": summary,
    }
