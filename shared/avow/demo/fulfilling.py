"""Members and units report on what they promised; secretaries and the office verify it, or excuse it (R-31)."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from avow.demo.client import Ask
from avow.demo.college import WITHDRAWING
from avow.demo.promising import Made, Pledged
from avow.demo.scene import PHASES, Act, PhaseDays, Scene
from avow.demo.stage import moment

WITHDRAWN = date(2011, 4, 12)


def fulfilling(scene: Scene, made: Made) -> Iterator[Act]:
    """A report half-way, a last one, and what is found fulfilled; and one pledge that is given up."""
    for phase in PHASES:
        yield Act(moment(phase.halfway), partial(_half_way, scene, phase, made))
        yield Act(moment(phase.reported), partial(_report, scene, phase, made))
        yield Act(moment(phase.verified), partial(_verify, scene, phase, made))
    yield Act(moment(WITHDRAWN), partial(_withdraw, scene, made))


async def _half_way(scene: Scene, phase: PhaseDays, made: Made) -> None:
    scene.stage.at(phase.halfway)
    await scene.stage.pledge.all(
        Ask(
            f"pledges/{pledged.pledge_id}/progress",
            {"item": 0, "percent": 30 + scene.dice.below(40, "half-way", phase.key, n), "note": "阶段小结，数据已核。"},
            pledged.author,
        )
        for n, pledged in enumerate(made[phase.key])
    )


async def _report(scene: Scene, phase: PhaseDays, made: Made) -> None:
    scene.stage.at(phase.reported)
    done = {"percent": 100, "fulfilled": True, "note": "按期完成，佐证材料存支部。"}
    await scene.stage.pledge.in_turn(
        [Ask(f"pledges/{pledged.pledge_id}/progress", {**done, "item": item}, pledged.author) for item in items]
        for pledged, items in _fulfilled(scene, phase, made)
    )


async def _verify(scene: Scene, phase: PhaseDays, made: Made) -> None:
    scene.stage.at(phase.verified)
    fulfilled = list(_fulfilled(scene, phase, made))
    await scene.stage.pledge.in_turn(
        [Ask(f"pledges/{pledged.pledge_id}/verify", {"item": item}, pledged.vetted_by) for item in items]
        for pledged, items in fulfilled
    )
    verified = sum(len(items) for _, items in fulfilled)
    promised = sum(pledged.items for pledged in made[phase.key])
    scene.stage.tell(
        f"{promised} 项承诺到期，{verified} 项申报完成并经核验。",
        f"{promised} promised items are due; {verified} are declared fulfilled and verified.",
    )


def _fulfilled(scene: Scene, phase: PhaseDays, made: Made) -> Iterator[tuple[Pledged, list[int]]]:
    """What is fulfilled of each pledge: as often as the branch is good at it, and whoever promised diligent."""
    for n, pledged in enumerate(made[phase.key]):
        drawn = phase.key, pledged.entry.branch.key, n
        likely = pledged.entry.branch.work - 14 + scene.dice.below(21, "diligence", *drawn)
        yield pledged, [i for i in range(pledged.items) if scene.dice.chance(likely, "fulfilled", *drawn, i)]


async def _withdraw(scene: Scene, made: Made) -> None:
    """C5"""
    scene.stage.at(WITHDRAWN)
    pledged = made["phase1"].pop(0)
    body = {"excused": True, "reason": "实训楼改造，答疑场所停用至学期末，客观上无法履行。"}
    await scene.stage.pledge.ask(f"pledges/{pledged.pledge_id}/withdraw", body, pledged.vetted_by)
    scene.stage.tell(
        f"{WITHDRAWING}因客观原因撤回承诺，书记核准，不计入分母；无声落空的则照计。",
        "A member gives a pledge up for a cause nobody could help: excused, it is not counted; what lapses is.",
    )
