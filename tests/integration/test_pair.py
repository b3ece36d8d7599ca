"""The pair on both engines: the whole play, heard by each other, verified, and still so after a restart."""

from avow.audit.verify import PairVerdict
from avow.cli.verify import examine
from avow.demo.playing import BEGINS, play
from avow.kernel.ports import SimulatedClock
from avow.service.hosting import Deployment
from avow.service.settings import Settings
from tests.kit.staged import ORG, staged


async def verdict_on(running: Deployment) -> PairVerdict:
    (verdict,) = await examine({name: service.database for name, service in running.services.items()}, ORG)
    return verdict


async def test_a_ledger_row_follows_from_both_services_and_everything_verifies(settings: Settings) -> None:
    clock = SimulatedClock(BEGINS)
    async with staged(settings, clock) as (running, stage):
        round_id = await play(stage)
        ledger = (await stage.evaluation.read("ledger", round_id=round_id))["items"]
        assert [(row["seq"], row["eligible"], row["cast"]) for row in ledger] == [(1, 69, 57), (2, 71, 49), (3, 32, 8)]
        assert [row["recognition"] for row in ledger] == ["66.054498135", "61.732278359", None]
        before = await verdict_on(running)
        assert before.ok, before.findings
        registers = {p.checksum_live for side in before.sides for p in side.projections if p.name == "register"}
        assert len(registers) == 1, "both services keep the same register"
    async with staged(settings, clock) as (running, stage):
        await stage.heard()
        after = await verdict_on(running)
        assert after.ok
        assert [side.log.hash for side in after.sides] == [side.log.hash for side in before.sides]
        again = (await stage.evaluation.read("ledger", round_id=round_id))["items"]
        assert again == ledger
