"""Pledges are drafted, refused where something is missing, made; branches meet and leaders comment."""

from typing import Any

from avow.demo.client import Refused
from avow.demo.college import DIRECTIONS, PROMISES, SHORTCOMINGS, STRENGTHS, Promise
from avow.demo.founding import BranchCast, Cast
from avow.demo.stage import Stage

PLEDGERS = 3
"""How many members of each branch pledge."""


async def promise(stage: Stage, cast: Cast) -> None:
    """Play the summer: who pledges what, and what is sent back."""
    stage.at(2010, 7, 5, 9)
    first = cast.branches[0]
    author = first.members[1]
    body = _pledge(cast, first, author, PROMISES[0])
    body["items"][0]["milestones"] = []
    pledge_id = await stage.pledge.create("pledges", body, author)
    try:
        await stage.pledge.ask(f"pledges/{pledge_id}/submit", {}, author)
    except Refused as refused:
        stage.tell_refusal("一份承诺没写时间节点就提交", "A pledge is submitted without a milestone", refused)
    await stage.pledge.ask(f"pledges/{pledge_id}/draft", _pledge(cast, first, author, PROMISES[0]), author)
    await _make(stage, first, pledge_id, author)
    made = 1
    for n, entry in enumerate(cast.branches):
        stage.at(2010, 7, 6 + n, 9)
        for member in entry.members[2 if n == 0 else 1 : 1 + PLEDGERS]:
            pledge_id = await stage.pledge.create("pledges", _pledge(cast, entry, member, PROMISES[n]), member)
            await _make(stage, entry, pledge_id, member)
            made += 1
    stage.tell(
        f"补齐后，{made} 份承诺经书记审定，在全院公布。",
        f"Completed and approved by the secretaries, {made} pledges are made public to the college.",
    )


async def meet(stage: Stage, cast: Cast) -> None:
    """Play the autumn: stage summaries, each with a leader's comment; one is entered late."""
    held = stage.at(2010, 9, 28, 15)
    leaders = list(cast.leaders.values())
    for entry, leader in zip(cast.branches[:2], leaders, strict=False):
        meeting_id = await stage.pledge.create("meetings", _meeting(cast, entry), entry.secretary)
        await _comment(stage, meeting_id, leader)
    late = cast.branches[2]
    body = {**_meeting(cast, late), "occurred_at": held.isoformat()}
    stage.at(2010, 10, 20, 10)
    try:
        await stage.pledge.ask("meetings", body, late.secretary)
    except Refused as refused:
        stage.tell_refusal("一个支部晚三周补录会议", "A branch enters its meeting three weeks late", refused)
    meeting_id = await stage.pledge.create(
        "meetings", {**body, "late_reason": "会议记录由两人核对，月末才定稿"}, late.secretary
    )
    await _comment(stage, meeting_id, leaders[2])
    stage.tell(
        f"{len(cast.branches)} 个支部开了阶段总结会，领导小组逐一点评：肯定成绩、指出不足、提出方向。",
        f"{len(cast.branches)} branches held their stage summaries, each with a three-part leader's comment.",
    )


async def _make(stage: Stage, entry: BranchCast, pledge_id: str, author: str) -> None:
    await stage.pledge.ask(f"pledges/{pledge_id}/submit", {}, author)
    await stage.pledge.ask(f"pledges/{pledge_id}/approve", {}, entry.secretary)
    await stage.pledge.ask(f"pledges/{pledge_id}/make", {"channel": "website"}, author)


async def _comment(stage: Stage, meeting_id: str, leader: str) -> None:
    text = {"strengths": STRENGTHS, "shortcomings": SHORTCOMINGS, "directions": DIRECTIONS, "grade": 88}
    await stage.pledge.ask(f"meetings/{meeting_id}/comments", text, leader)


def _meeting(cast: Cast, entry: BranchCast) -> dict[str, Any]:
    return {
        "campaign_id": cast.campaign_id,
        "unit_id": entry.unit_id,
        "kind": "stage_summary",
        "agenda": ["campaign", "routine"],
        "chair_id": entry.secretary,
        "present": len(entry.members) - 1,
        "expected": len(entry.members),
        "scope": "college",
        "summary": "逐项对照承诺报告进展，安排下一季度工作。",
    }


def _pledge(cast: Cast, entry: BranchCast, member: str, promised: Promise) -> dict[str, Any]:
    item = {
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
        "milestones": ["2010-12-31", "2011-06-15"],
        "accountable_person_id": member,
    }
    return {
        "campaign_id": cast.campaign_id,
        "unit_id": entry.unit_id,
        "pledger": {"kind": "member", "id": member},
        "scope": "college",
        "items": [item],
    }
