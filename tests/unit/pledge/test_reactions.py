"""What the service does of itself."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from avow.contracts.obligation import ObligationAssessed
from avow.eventlog import reading
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports, SimulatedClock
from avow.service.service import Service
from avow_pledge.bootstrap import BLUEPRINT
from avow_pledge.reactions import assess_ripe_rounds
from tests.kit.logs import ORG
from tests.unit.pledge.college import a_college


def assessed(connection: Connection) -> Counter[str]:
    """How many were assessed of each obligation."""
    records = reading.page(connection, ORG, 0, 10**6, [ObligationAssessed.type])
    return Counter(json.loads(record.data)["obligation"] for record in records)


async def test_what_is_ripe_is_assessed_once(tmp_path: Path) -> None:
    """R-33"""
    url = f"sqlite:///{tmp_path / 'pledge.db'}"
    async with a_college(url):
        pass
    clock = SimulatedClock(datetime(2010, 8, 6, tzinfo=UTC))
    service = Service(BLUEPRINT, open_database(url), Ports(clock), (ORG,))
    await service.start()
    counts = []
    try:
        assert service.blueprint.chores == (assess_ripe_rounds,)
        for day in (6, 6, 7):
            clock.set(datetime(2010, 8, day, tzinfo=UTC))
            await assess_ripe_rounds(service)
            counts.append(await service.database.read(assessed))
        clock.set(datetime(2010, 9, 6, tzinfo=UTC))
        await assess_ripe_rounds(service)
        later = await service.database.read(assessed)
    finally:
        await service.stop()
    first, again, next_day = counts
    assert first == again == next_day
    assert first["monthly_committee"] == 4
    assert later["monthly_committee"] == 6
