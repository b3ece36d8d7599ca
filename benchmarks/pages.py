"""Pages of the ledger over HTTP, in process: filtered by category, sorted by recognition, a hundred rows a page.

The rows are of 400 members, who are registered with their names, in as many rounds as it takes; every page opens the
names it shows. Four pages in turn are asked for: the first two of each way to sort.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
from pydantic import SecretStr
from sqlalchemy import Connection

from avow.contracts.organisation import PersonRegistered
from avow.eventlog.records import Context, Proposed
from avow.kernel.ports import Ports
from avow.projections.builds import live_build
from avow.projections.rows import new_row, store_rows
from avow.register.projection import Register
from avow.service.hosting import installed
from avow.service.settings import Settings
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger, ledger
from benchmarks.measure import Report
from benchmarks.workload import ORG

TOKEN = "the-token-of-the-benchmark"
CATEGORIES = ("teaching", "students", "offices", "retired")
MEMBERS, ROWS, PAGES = 400, 10_000, 200
BEGAN = datetime(2010, 6, 1, tzinfo=UTC)
AT_ONCE = 1000


def measure_pages(report: Report, new_url: dict[str, Callable[[], str]], names: Sequence[str]) -> None:
    """The median and the 95th percentile of a page, on each engine."""
    for name in names:
        with asyncio.Runner() as runner:
            reader = Reader(new_url[name]())
            runner.run(reader.open())
            try:
                _measure(report, name, runner, reader)
            finally:
                runner.run(reader.close())


def _measure(report: Report, name: str, runner: asyncio.Runner, reader: "Reader") -> None:
    said = f"ledger page of 100, {name}, {ROWS:,} rows, filtered and sorted"
    report.compare(f"{said}, median", "µs", lambda: runner.run(reader.read(50)))
    report.compare(f"{said}, p95", "µs", lambda: runner.run(reader.read(95)))


class Reader:
    """The evaluation service with a long ledger, and whoever reads it."""

    def __init__(self, url: str) -> None:
        settings = Settings(
            data=Path("/nowhere"), evaluation_database=url, orgs=(ORG,), operator_token=SecretStr(TOKEN)
        )
        self._hosted = installed()["evaluation"].build(settings, Ports(), TOKEN)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._hosted.app),
            base_url=f"http://evaluation/{ORG}/",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    async def open(self) -> None:
        """Start the service and fill its ledger."""
        service = self._hosted.service
        await service.start()
        people = [_identity("person", n) for n in range(MEMBERS)]
        position = 0
        for person in people:
            event = PersonRegistered(person_id=person, name=f"党员{person[:4]}")
            item = Proposed(f"person/{person}", service.ports.new_id(), event, Context(service.ports.clock.now()))
            position = (await service.appender.append(ORG, [item]))[0].position
        await service.runner.reach(ORG, position, [Register.name])
        rows = [_row(n, people) for n in range(ROWS)]
        for start in range(0, ROWS, AT_ONCE):
            await service.database.write(lambda connection, at=start: _store(connection, rows[at : at + AT_ONCE]))  # type: ignore[misc]

    async def read(self, percentile: int) -> float:
        """How long a page takes, in microseconds: half of them, or 95 in 100, take no longer."""
        taken: list[float] = []
        for n in range(PAGES // 2):
            asked = {"category": CATEGORIES[n // 2 % 4], "sort": ("recognition", "-recognition")[n % 2]}
            first = await self._page(taken, asked)
            await self._page(taken, {**asked, "after": first["next"]})
        return statistics.quantiles(taken, n=100)[percentile - 1] * 1e6

    async def _page(self, taken: list[float], asked: dict[str, str]) -> dict[str, Any]:
        began = time.perf_counter()
        response = await self._client.get("ledger", params=asked)
        taken.append(time.perf_counter() - began)
        page: dict[str, Any] = response.json()
        assert len(page["items"]) == 100
        return page

    async def close(self) -> None:
        """Stop the service."""
        await self._client.aclose()
        await self._hosted.service.stop()


def _store(connection: Connection, values: Sequence[dict[str, Any]]) -> None:
    build = live_build(connection, DedicatedLedger())
    assert build is not None
    rows = []
    for value in values:
        row = new_row(ledger, (value["round_id"], value["subject_id"]))
        row.update(value)
        rows.append(row)
    store_rows(connection, ORG, ledger, ledger.stored(DedicatedLedger.version, build), rows)


def _row(n: int, people: Sequence[str]) -> dict[str, Any]:
    """The n-th row, as a round on members leaves it."""
    person, moment = people[n % MEMBERS], BEGAN + timedelta(hours=n)
    return {
        "round_id": _identity("round", n // MEMBERS),
        "subject_id": person,
        "subject": "member",
        "unit_id": _identity("unit", n % 12),
        "person_id": person,
        "seq": n % MEMBERS + 1,
        "unit": f"第{n % 12 + 1}党支部",
        "category": CATEGORIES[n % 12 % 4],
        "campaign_id": _identity("campaign", 0),
        "round": {"zh": "党员互评", "en": "Review of members"},
        "opens_at": moment,
        "closes_at": moment,
        "eligible": 40,
        "cast": 30,
        "turnout": Decimal("75.000000000"),
        "validity": "valid",
        "by_class": [],
        "grade_counts": {"excellent": 20, "good": 10},
        "abstained": 0,
        "good_rate": Decimal("66.666666667"),
        "recognition": Decimal(n * 7919 % 100_000_007) / 1_000_000,
        "pledges_made": 1,
        "meetings_held": 3,
        "comments": 1,
        "tallied_at": moment,
        "event_ref": _identity("event", n),
        "position": n + 1,
    }


def _identity(kind: str, n: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{kind}/{n}"))
