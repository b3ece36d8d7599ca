"""Every view of both services, as of any day and as known on any day, is what a naive fold makes of the same events."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from random import Random
from typing import Any

import pytest

from avow.contracts.catalogue import every_public_event
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.kernel.seal import Seal
from avow.projections.asof import Asked, cut
from avow.projections.checksum import checksum
from avow.projections.projection import Document, Projection
from avow.projections.projector import create_views, project
from avow.projections.replay import Replay, a_scratch_engine, replay
from avow_evaluation.domain import PRIVATE_EVENTS as OF_EVALUATION
from avow_evaluation.projections import PROJECTIONS as EVALUATION
from avow_pledge.domain import PRIVATE_EVENTS as OF_PLEDGE
from avow_pledge.projections import PROJECTIONS as PLEDGE
from tests.kit.histories import Past, live_through, overhear
from tests.kit.logs import ORG, START, Log, a_log
from tests.kit.naive import NAIVE, told

PAIRS = 50


@dataclass(frozen=True)
class Side:
    """A service's log, and its views."""

    log: Log
    projections: Sequence[Projection]


@pytest.fixture
async def sides(new_engine_url: Callable[[], str]) -> AsyncIterator[list[Side]]:
    """Both services after half a year, evaluation having heard of most that pledge said."""

    def opened(service: str, seed: int, private: Iterable[type[Event]]) -> Any:
        ports = Ports(SimulatedClock(START), seeded(seed))
        return a_log(new_engine_url(), ports, service=service, types=(*every_public_event(), *private))

    async with opened("pledge", 1, OF_PLEDGE) as pledge, opened("evaluation", 2, OF_EVALUATION) as evaluation:
        past = Past(20101217)
        await live_through(past, pledge, PLEDGE, 400)
        await live_through(past, evaluation, [one for one in EVALUATION if one.name == "credentials"], 30)
        await overhear(past, evaluation, pledge)
        await live_through(past, evaluation, EVALUATION, 300)
        sides = [Side(pledge, PLEDGE), Side(evaluation, EVALUATION)]
        for side in sides:
            await side.log.database.write(partial(create_views, projections=side.projections))
        yield sides


async def test_every_view_is_what_a_naive_fold_makes_of_the_events_at_fifty_places_on_both_axes(
    sides: list[Side],
) -> None:
    chance = Random(7)
    for side in sides:
        log = side.log
        rows, records = await log.rows(), await log.records()
        first, last = rows[0].recorded_at, rows[-1].recorded_at
        for _ in range(PAIRS):
            known = first + (last - first) * chance.random()
            as_of = first + (last - first) * chance.random() if chance.random() < 0.8 else None
            asked = Asked(None if as_of is None else as_of.isoformat(), known.isoformat())
            where = await log.database.read(partial(cut, org=ORG, asked=asked, now=last))
            kept = [
                told(record)
                for record, row in zip(records, rows, strict=True)
                if row.recorded_at <= known and (as_of is None or record.occurred_at <= as_of)
            ]
            for projection in side.projections:
                folded = await replay(log.database, ORG, projection, log.types, where.position, where.as_of)
                assert _plain(folded) == NAIVE[projection.name](kept), (projection.name, asked)


async def test_the_past_has_every_event_a_view_handles_and_a_row_in_every_table(sides: list[Side]) -> None:
    for side in sides:
        records = await side.log.records()
        for projection in side.projections:
            assert set(projection.event_types) - {record.type for record in records} == set(), projection.name
            tables = NAIVE[projection.name]([told(record) for record in records])
            assert [name for name, rows in tables.items() if not rows] == [], projection.name


async def test_as_of_now_is_what_is_live_byte_for_byte(sides: list[Side]) -> None:
    for side in sides:
        log = side.log
        now = log.ports.clock.now()
        where = await log.database.read(partial(cut, org=ORG, asked=Asked(now.isoformat(), now.isoformat()), now=now))
        for projection in side.projections:
            while await log.database.write(partial(project, org=ORG, projection=projection, types=log.types, limit=37)):
                pass
            live = await log.database.read(partial(checksum, org=ORG, projection=projection))
            folded = await replay(log.database, ORG, projection, log.types, where.position, where.as_of)
            assert _checksum(folded) == live, projection.name


async def test_a_view_folded_in_small_pages_is_the_one_folded_at_once(sides: list[Side]) -> None:
    for side in sides:
        records = await side.log.records()
        for projection in side.projections:
            wanted = [record for record in records if record.type in projection.event_types]
            one, another = Replay(projection, side.log.types), Replay(projection, side.log.types)
            one.take(wanted)
            for record in wanted:
                another.take([record])
            assert _checksum(one) == _checksum(another)


def test_every_view_of_both_services_has_a_naive_fold() -> None:
    assert {projection.name for projection in (*PLEDGE, *EVALUATION)} == set(NAIVE)


def _checksum(folded: Replay) -> str:
    engine = a_scratch_engine()
    with engine.begin() as connection:
        folded.write(connection, ORG)
        found = checksum(connection, ORG, folded.projection)
    engine.dispose()
    return found


def _plain(folded: Replay) -> dict[str, dict[Any, dict[str, Any]]]:
    found = {}
    for view in folded.projection.tables:
        rows = [{name: _value(value) for name, value in row.items()} for row in folded.rows(view)]
        keyed = {tuple(row[name] for name in view.keys): row for row in rows}
        found[view.name] = {key[0] if len(key) == 1 else key: row for key, row in keyed.items()}
    return found


def _value(value: Any) -> Any:
    if isinstance(value, Document):
        return json.loads(value)
    if isinstance(value, Seal):
        return value.model_dump(mode="json")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value
