"""Logs that an earlier release wrote are read by this one, and by one whose events have changed since.

They lie in `golden/log`, written once (tests/kit/old_log.py); the later release is tests/kit/releases.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import Connection

from avow.audit.verify import Side, verify_pair, verify_service
from avow.bus.inbox import Inbox
from avow.eventlog.seals import open_seals
from avow.eventlog.types import EventTypes
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.kernel.seal import Seal
from avow.projections.checksum import checksum
from avow.projections.projector import create_views
from avow.projections.runner import Runner, Stopped
from tests.kit.logs import ORG, Log, a_log, identity, on_database, proposed
from tests.kit.old_log import SERVICES, load
from tests.kit.releases import LATER, NOW, LaterPerson, LaterUnit, Release, WeatherChanged
from tests.kit.write_contracts import GOLDEN
from tests.unit.bus.serving import feed_app, imported_by, lines_of

REGISTER = "e599e77cc8861f63d76d1f3c64047a1b339fba30fb06a864f21a7ed8bb298a01"
EXPECTED = {
    "pledge": {
        "register v3": REGISTER,
        "pledge_wall v2": "1ceccad5c7d74b7d2fe6281509f7ab423afa9263c1141958545967692c3d6111",
        "meeting_register v2": "721326480f6fc9d35f2e10c8c68ffa96bbdbc987411f405deb79d73159507138",
        "obligation_calendar v1": "8689656e70c381e31a1fe40e7cda4bf8b32641555c6c27bebf99371ecd47fe86",
        "work_plans v1": "a333f010e87049a327e9bad356b8f43663599e09de9f1fd4e189b0db966299a7",
    },
    "evaluation": {
        "register v3": REGISTER,
        "credentials v1": "b6448c812d088be04f908827bb5a9ef7ff2c066de954abd20f620970b76d67fb",
        "round_board v2": "6d12edb7af5ea688499f26ce4d954ebce6fb06521b68357cc7c8a77b3b1d66f6",
        "dedicated_ledger v2": "6c3ab258c8fb05bc53e009f6a0d6d5fb1916e83158059961158671d7a2aaa918",
        "scoring_rules v1": "591a9c232abd2361ce2e6358aa5d2dd099071d5e63661ef1974b9281165bd97d",
        "evidence v1": "3eea8f5e7a3d2fbad1b5d5da4e07e1bebb1b5f93c0e3a7f85c3f8b51c71e9ca3",
        "assessments v1": "9784dbb5b48568658ff44ac9afa5cb12552e3788f02046a979895f781afbb267",
        "commendation_candidates v1": "b3e69ea33837ccdcae80ecbd0e6e636452dedb8734d0be53d16f775305af3487",
    },
}
"""What each projection holds at the end of its log. A line changes only where a projection's version does."""
AFTERWARDS = datetime(2030, 1, 1, tzinfo=UTC)


both_releases = pytest.mark.parametrize("releases", [NOW, LATER], ids=["now", "later"])


@asynccontextmanager
async def _an_old_log(url: str, service: str, release: Release) -> AsyncIterator[Log]:
    """The log that was kept, opened by a release whose tables are still empty."""

    def prepare(connection: Connection) -> None:
        load(connection, GOLDEN, service)
        create_views(connection, release.projections)

    async with a_log(url, Ports(SimulatedClock(AFTERWARDS), seeded(7)), orgs=(), types=release.types) as log:
        await log.database.write(prepare)
        yield log


async def _project(log: Log, release: Release) -> dict[str, Stopped]:
    """Take every projection as far as it goes; those that stopped."""
    runner = Runner(log.database, log.types, release.projections, log.grown)
    await runner.advance()
    return runner.stopped


async def _content(log: Log, release: Release) -> dict[str, str]:
    def read(connection: Connection) -> dict[str, str]:
        return {f"{view.name} v{view.version}": checksum(connection, ORG, view) for view in release.projections}

    return await log.database.read(read)


def _sides(pledge: Log, evaluation: Log, releases: dict[str, Release]) -> tuple[Side, Side]:
    one, other = (
        Side(log.database, releases[service].projections, EventTypes(releases[service].types))
        for service, log in zip(SERVICES, (pledge, evaluation), strict=True)
    )
    return one, other


@both_releases
@pytest.mark.parametrize("service", SERVICES)
async def test_an_old_log_holds_and_every_projection_of_it_is_what_it_was(
    engine_url: str, service: str, releases: dict[str, Release]
) -> None:
    last = json.loads((GOLDEN / "log" / f"{service}.v1.ndjson").read_text("utf-8").splitlines()[-1])
    release = releases[service]
    async with _an_old_log(engine_url, service, release) as log:
        assert await _project(log, release) == {}
        assert await _content(log, release) == EXPECTED[service]
        verdict = await verify_service(log.database, ORG, release.projections, log.types)
        assert verdict.ok
        assert (verdict.log.position, verdict.log.hash) == (last["position"], last["hash"])
        assert {view.position for view in verdict.projections} == {last["position"]}


async def test_an_old_feed_is_served_byte_for_byte_and_agrees_with_its_copy(new_engine_url: Callable[[], str]) -> None:
    async with (
        _an_old_log(new_engine_url(), "pledge", LATER["pledge"]) as pledge,
        _an_old_log(new_engine_url(), "evaluation", LATER["evaluation"]) as evaluation,
    ):
        for source, importer in ((pledge, evaluation), (evaluation, pledge)):
            app = feed_app(source.database, source.grown, asyncio.Event())
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://source") as http:
                *lines, _end, _ = (await http.get(f"/{ORG}/feed")).content.split(b"\n")
            assert len(lines) > 5
            assert list(enumerate(lines, 1)) == await imported_by(importer)
        for each, release in zip((pledge, evaluation), LATER.values(), strict=True):
            assert await _project(each, release) == {}
        verdict = await verify_pair(ORG, *_sides(pledge, evaluation, LATER))
        assert verdict.ok
        assert [(copy.imported, copy.behind) for copy in verdict.imports] == [(7, 0), (14, 0)]


async def test_an_old_seal_opens_under_whatever_name_its_field_has_now(engine_url: str) -> None:
    async with _an_old_log(engine_url, "pledge", LATER["pledge"]) as log:
        later = log.types.decode_as((LaterPerson,), await log.records())
        seals = [event.called for event in later if isinstance(event.called, Seal)]
        opened = await log.database.read(lambda connection: open_seals(connection, ORG, seals))
        assert [opened[seal] for seal in seals] == ["钟若岚", "柳承远", "贺启明"]


async def test_what_a_later_release_wrote_is_carried_along_and_stops_only_who_asks_for_it(
    new_engine_url: Callable[[], str],
) -> None:
    place = {"below": None, "kind": "branch"}
    newer = LaterUnit(unit_id=identity(70), labels={"zh": "新支部"}, place=place, category=None)
    events = (WeatherChanged(sky="clear"), newer, LaterPerson(person_id=identity(71), called="傅明哲"))
    async with (
        _an_old_log(new_engine_url(), "pledge", NOW["pledge"]) as log,
        _an_old_log(new_engine_url(), "evaluation", NOW["evaluation"]) as other,
    ):
        for each, release in ((log, NOW["pledge"]), (other, NOW["evaluation"])):
            assert await _project(each, release) == {}
        end = (await log.head()).position
        ahead = on_database(log.database, log.url, log.ports, LATER["pledge"].types)
        await ahead.append(*(proposed(event, at=AFTERWARDS) for event in events))
        taken = await Inbox(other.database, other.appender, ORG).take(await lines_of(log))
        assert (taken.imported, taken.duplicates, taken.rejected) == (3, 14, 0)

        unknown = "UnknownSchema: unit.registered.v3"
        assert await _project(log, NOW["pledge"]) == {"register": Stopped(ORG, end + 2, unknown)}
        assert [(view, why.reason) for view, why in sorted((await _project(other, NOW["evaluation"])).items())] == [
            ("dedicated_ledger", unknown),
            ("register", unknown),
        ]
        verdict = await verify_pair(ORG, *_sides(log, other, NOW))
        assert verdict.ok
        reached = {view.name: view.position for view in verdict.sides[0].projections}
        assert reached == {"register": end} | dict.fromkeys(
            ("pledge_wall", "meeting_register", "obligation_calendar", "work_plans"), end + 3
        )

        assert await _project(ahead, LATER["pledge"]) == {}
        verdict = await verify_pair(ORG, *_sides(ahead, other, LATER))
        assert verdict.ok
        assert {view.position for view in verdict.sides[0].projections} == {end + 3}
