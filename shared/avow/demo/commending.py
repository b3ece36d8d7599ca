"""Rules are published before they score, scores calculated, candidates ranked (R-48…R-51)."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from avow.demo.client import Ask
from avow.demo.scene import PHASES, Act, PhaseDays, Scene
from avow.demo.stage import moment

AWARDS = ("award.advanced_unit", "award.outstanding_member")
PUBLISHED = date(2010, 6, 5)
CHANGED = date(2011, 6, 20)
SECOND = {
    "version": 2,
    "label": {"zh": "党员考评办法（第二版）", "en": "Member scoring rules, second version"},
    "effective_from": "2011-07-01",
    "work_record": [
        {"part": "fulfilment", "weight": "25"},
        {"part": "study", "weight": "5"},
        {"part": "comments", "weight": "10"},
    ],
    "recognition": [{"rater_class": "peer", "weight": "20"}, {"rater_class": "mass", "weight": "40"}],
    "work_record_floor": "60",
    "recognition_floor": "60",
}
"""What members are scored by in the second phase: the public weighs more, peers less (C9)."""


def commending(scene: Scene) -> Iterator[Act]:
    """The rules, then at the end of each phase the scores and the candidates."""
    yield Act(moment(PUBLISHED), partial(_publish, scene))
    yield Act(moment(CHANGED), partial(_change, scene))
    for phase in PHASES:
        yield Act(moment(phase.scored, 15), partial(_score, scene, phase))


async def _publish(scene: Scene) -> None:
    await scene.stage.heard()
    scene.stage.at(PUBLISHED)
    for subject in ("unit", "member"):
        await scene.stage.evaluation.ask("rules", {"campaign_id": scene.cast.campaign_id, "subject": subject})
    scene.stage.tell(
        "公布党组织考评细则、党员考评办法第一版：先有规则，后有得分。",
        "The first scoring rules for units and for members are published, before anything they score.",
    )


async def _change(scene: Scene) -> None:
    scene.stage.at(CHANGED)
    body = {"campaign_id": scene.cast.campaign_id, "subject": "member", "rules": SECOND}
    await scene.stage.evaluation.ask("rules", body)
    scene.stage.tell(
        "公布党员考评办法第二版，7 月 1 日起施行：群众权重由 30 升到 40，互评由 30 降到 20。",
        "The second member rules, in force from 1 July: the public weighs 40 instead of 30, peers 20 instead of 30.",
    )


async def _score(scene: Scene, phase: PhaseDays) -> None:
    stage, campaign_id = scene.stage, scene.cast.campaign_id
    await stage.heard()
    stage.at(phase.scored, 15)
    await stage.evaluation.all(
        Ask("assessments", {"campaign_id": campaign_id, "phase": phase.key, "subject": subject})
        for subject in ("unit", "member")
    )
    stage.at(phase.scored, 16)
    await stage.evaluation.all(
        Ask("candidates", {"campaign_id": campaign_id, "phase": phase.key, "award": award}) for award in AWARDS
    )
    stage.tell(
        "考评得分出炉，按类别排出候选名单，每个名次都写明依据。",
        "Scores are calculated and candidates ranked by category, each place with its reason.",
    )
