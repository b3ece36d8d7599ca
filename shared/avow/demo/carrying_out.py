"""What was promised is carried out: a plan, progress, verification, a withdrawal; and the office takes stock."""

from typing import Any

from avow.demo.founding import BranchCast, Cast
from avow.demo.stage import Stage

REASON = "值班室因管道改造停用至学期末，已由后勤处书面说明。"


async def carry_out(stage: Stage, cast: Cast) -> None:
    """Play the autumn's work: what was done, what could not be, and what each unit and member owed so far."""
    stage.at(2010, 11, 8, 9)
    first, second = cast.branches[:2]
    await _plan(stage, cast, first)
    done = await _pledge_of(stage, first.members[1])
    report = {"item": 0, "value": "24", "fulfilled": True, "note": "答疑二十四场，登记的问题当场答复。"}
    await stage.pledge.ask(f"pledges/{done}/progress", report, first.members[1])
    await stage.pledge.ask(f"pledges/{done}/verify", {"item": 0}, first.secretary)
    given_up = await _pledge_of(stage, second.members[1])
    await stage.pledge.ask(f"pledges/{given_up}/withdraw", {"excused": True, "reason": REASON}, second.secretary)
    stage.tell(
        "一份承诺申报完成，由书记核验；另一份因客观原因撤回，由书记认定情有可原。",
        "One pledge is declared fulfilled and verified; another is withdrawn, excused by the secretary.",
    )
    await _take_stock(stage, cast)


async def _plan(stage: Stage, cast: Cast, entry: BranchCast) -> None:
    plan = {
        "campaign_id": cast.campaign_id,
        "unit_id": entry.unit_id,
        "phase": "phase1",
        "scope": "college",
        "service_audience": "本系师生",
        "items": [
            {
                "goal": "新生两周内办完全部手续",
                "task": "编写办事指南并上网",
                "measure": "各科室逐条核对，每月更新",
                "milestones": ["2010-12-31"],
                "accountable_person_id": entry.secretary,
            }
        ],
    }
    plan_id = await stage.pledge.create("work_plans", plan, entry.secretary)
    await stage.pledge.ask(f"work_plans/{plan_id}/adopt", {}, entry.secretary)


async def _pledge_of(stage: Stage, member: str) -> str:
    (entry,) = (await stage.pledge.read("pledges", pledger_id=member))["items"]
    return str(entry["pledge_id"])


async def _take_stock(stage: Stage, cast: Cast) -> None:
    """Assess whatever is ripe, and waive one month that a branch missed."""
    rounds = (await stage.pledge.read("obligations/rounds", campaign_id=cast.campaign_id))["items"]
    for entry in rounds:
        if entry["ripe"]:
            period = {"campaign_id": cast.campaign_id, **{name: entry[name] for name in ("obligation", "starts_on")}}
            await stage.pledge.ask("obligations/rounds", period)
    found: dict[str, int] = {}
    for outcome in ("met", "met_late", "missed"):
        page: dict[str, Any] = await stage.pledge.read("obligations", outcome=outcome, limit=500)
        found[outcome] = len(page["items"])
    page = await stage.pledge.read("obligations", obligation="monthly_committee", outcome="missed", limit=1)
    missed = page["items"][0]
    waiver = {"obligation_id": missed["obligation_id"], "reason": "支委外出集中培训，下月补开。"}
    await stage.pledge.ask(f"obligations/rounds/{missed['round_id']}/waive", waiver)
    met, late, lacking = found["met"], found["met_late"], found["missed"]
    stage.tell(
        f"办公室逐项认定应尽之责：如期 {met} 项，迟到 {late} 项，缺失 {lacking} 项，其中一项说明理由后豁免。",
        f"The office takes stock of what was owed: {met} met, {late} met late, {lacking} missed, one of them waived.",
    )
