"""The pair on both engines: the whole play, heard by each other, recomputed by somebody else, verified, and still so
after a restart."""

import json
from hashlib import sha256
from typing import Any

from avow.audit.verify import PairVerdict
from avow.cli.played import Outcome, outcome
from avow.cli.verify import examine
from avow.demo.college import SMALL
from avow.demo.playing import BEGINS, play
from avow.kernel.ports import SimulatedClock
from avow.service.hosting import Deployment
from avow.service.settings import Settings
from tests.kit import oracle
from tests.kit.raw_log import raw
from tests.kit.staged import ORG, staged

FIGURES = "1934a669da99079d1d80686cb4a961ff5f1dff67d565eb42e7361ede1835ce32"
"""The digest of everything the small play comes to, on either engine and each time."""


async def verdict_on(running: Deployment) -> PairVerdict:
    (verdict,) = await examine({name: service.database for name, service in running.services.items()}, ORG)
    return verdict


def digest_of(came: Outcome) -> str:
    """Of the figures and names, without any identity, event or position."""
    rows = [
        {k: row[k] for k in ("unit", "eligible", "cast", "turnout", "recognition", "validity")} for row in came.ledger
    ]
    places: list[dict[str, Any]] = [
        {k: place[k] for k in ("name", "unit", "category", "rank", "total", "recognition", "fulfilment", "reason")}
        for by_award in came.candidates.values()
        for places in by_award.values()
        for place in places
    ]
    ordered = sorted(json.dumps(entry, ensure_ascii=False) for entry in (*rows, *places))
    return sha256("\n".join(ordered).encode()).hexdigest()


async def test_two_years_come_to_the_same_figures_each_time_and_everything_verifies(settings: Settings) -> None:
    clock = SimulatedClock(BEGINS)
    async with staged(settings, clock) as (running, stage):
        scene = await play(stage, SMALL)
        came = await outcome(scene)
        assert digest_of(came) == FIGURES
        imported, own = await running.services["evaluation"].database.read(lambda connection: raw(connection, ORG))
        assert (
            len(oracle.scores(imported, own)) == 2 * (len(SMALL.branches) + sum(b.members for b in SMALL.branches)) - 1
        )
        assert oracle.disagreements(imported, own) == []
        before = await verdict_on(running)
        assert before.ok, before.findings
        registers = {p.checksum_live for side in before.sides for p in side.projections if p.name == "register"}
        assert len(registers) == 1, "both services keep the same register"
    async with staged(settings, clock) as (running, stage):
        await stage.heard()
        after = await verdict_on(running)
        assert after.ok
        assert [side.log.hash for side in after.sides] == [side.log.hash for side in before.sides]
        scene.stage.evaluation = stage.evaluation
        again = await outcome(scene)
        assert again == came
