"""The pair on both engines: the whole play, heard by each other, verified, and still so after a restart."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from avow.audit.verify import PairVerdict
from avow.cli.verify import examine
from avow.demo.client import Player
from avow.demo.playing import BEGINS, play
from avow.demo.stage import Line, Stage
from avow.kernel.ports import Ports, SimulatedClock
from avow.service.hosting import Deployment, deployment
from avow.service.settings import Settings

ORG = "demo"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    told = Settings(data=tmp_path, orgs=(ORG,), pledge_port=0, evaluation_port=0)
    if request.param == "sqlite":
        return told
    new_url: Callable[[], str] = request.getfixturevalue("new_postgres_url")
    return told.model_copy(update={"pledge_database": new_url(), "evaluation_database": new_url()})


@asynccontextmanager
async def staged(settings: Settings, clock: SimulatedClock) -> AsyncIterator[tuple[Deployment, Stage]]:
    async with deployment(settings, Ports(clock)) as running:
        pledge, evaluation = (Player(running.urls[name], running.token, ORG) for name in ("pledge", "evaluation"))
        try:
            yield running, Stage(clock, pledge, evaluation, _ignore)
        finally:
            await pledge.close()
            await evaluation.close()


def _ignore(line: Line) -> None:
    return


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
