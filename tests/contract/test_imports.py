"""What is public of one log is kept whole in another, once and in its order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from msgspec.structs import replace

from avow.contracts import envelope
from avow.contracts.leaf import leaf, leaf_values
from avow.eventlog import reading
from avow.eventlog.batch import Conflict, ForeignImport
from avow.eventlog.types import EventTypes
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.kernel.seal import Seal
from tests.kit.logs import START, Log, Noted, a_log, a_person, a_unit, imports, proposed

LATER = START + timedelta(days=1)


@pytest.fixture
async def source(new_engine_url: Callable[[], str]) -> AsyncIterator[Log]:
    """Another service's log: five public events with private ones between them."""
    async with a_log(new_engine_url(), Ports(SimulatedClock(START), seeded(2)), service="evaluation") as log:
        for n in range(4):
            await log.append(proposed(Noted(text="draft")), proposed(a_unit(n), f"unit/{n % 2}"))
        yield log


@pytest.fixture
async def log(new_engine_url: Callable[[], str]) -> AsyncIterator[Log]:
    """The importer's log, a day later."""
    async with a_log(new_engine_url(), Ports(SimulatedClock(LATER), seeded(3))) as opened:
        yield opened


class TestImports:
    async def test_lines_are_kept_whole_under_the_name_of_their_log(self, log: Log, source: Log) -> None:
        wires = await source.envelopes()
        await log.append(*imports(wires))
        rows = (await log.rows())[1:]
        assert [row.data for row in rows] == [envelope.encode(wire) for wire in wires]
        assert {row.stream for row in rows} == {f"import/{(await source.head()).log_id}"}
        assert [row.version for row in rows] == [1, 2, 3, 4, 5]
        assert [row.type for row in rows] == ["book.opened", *["unit.registered"] * 4]
        assert {(row.sequence, row.sealed, row.actor, row.correlation_id) for row in rows} == {(None, None, None, None)}
        assert all(row.leaf == leaf(row.salt, leaf_values(row._asdict())) for row in rows)

    async def test_an_imported_event_reads_like_the_event_it_is(self, log: Log, source: Log) -> None:
        await log.append(*imports(await source.envelopes()))
        public = {row.position for row in await source.rows() if row.sequence is not None}
        originals = [record for record in await source.records() if record.position in public]
        log_id = (await source.head()).log_id
        for position, (mine, theirs) in enumerate(zip((await log.records())[1:], originals, strict=True), 2):
            assert mine == theirs._replace(
                position=position,
                id_as_stored=theirs.event_id,
                time_as_stored=theirs.occurred_at,
                log_id=log_id,
            )
            assert log.types.decode(mine) == source.types.decode(theirs)

    async def test_imported_events_take_no_sequence_and_are_never_served(self, log: Log, source: Log) -> None:
        await log.append(*imports(await source.envelopes()))
        (mine,) = await log.append(proposed(a_unit(9)))
        assert (mine.position, mine.sequence) == (7, 2)
        assert [wire.sequence for wire in await log.envelopes()] == [1, 2]
        assert {wire.log_id for wire in await log.envelopes()} == {(await log.head()).log_id}

    async def test_a_hole_is_a_conflict(self, log: Log, source: Log) -> None:
        lines = imports(await source.envelopes())
        with pytest.raises(Conflict) as first:
            await log.append(*lines[1:])
        assert (first.value.expected, first.value.actual) == (1, 0)
        await log.append(*lines[:2])
        with pytest.raises(Conflict) as second:
            await log.append(lines[2], lines[4])
        assert (second.value.stream, second.value.expected, second.value.actual) == (lines[0].stream, 4, 3)
        assert (await log.head()).position == 3

    async def test_a_second_event_with_a_sequence_already_taken_is_a_conflict(self, log: Log, source: Log) -> None:
        lines = imports(await source.envelopes())
        await log.append(*lines[:3])
        (double,) = imports([replace(lines[1].envelope, event_id=uuid4())])
        with pytest.raises(Conflict):
            await log.append(double)
        with pytest.raises(Conflict):
            await log.append(*lines[2:])
        assert (await log.head()).position == 4

    async def test_lines_offered_again_answer_where_they_stand(self, log: Log, source: Log) -> None:
        lines = imports(await source.envelopes())
        original = await log.append(*lines)
        assert await log.append(*lines) == original
        assert await log.append(lines[2]) == [original[2]]
        assert (await log.head()).position == 6

    async def test_of_two_who_import_the_same_each_event_is_kept_once(self, log: Log, source: Log) -> None:
        lines = imports(await source.envelopes())
        first, second = await asyncio.gather(log.append(*lines), log.append(*lines))
        assert first == second
        assert [row.version for row in (await log.rows())[1:]] == [1, 2, 3, 4, 5]

    async def test_ones_own_events_are_refused(self, log: Log) -> None:
        await log.append(proposed(a_unit(1)))
        with pytest.raises(ForeignImport):
            await log.append(*imports(await log.envelopes()))
        assert (await log.head()).position == 2

    async def test_another_organisations_events_are_refused(self, log: Log, source: Log) -> None:
        stray = [replace(wire, org="other") for wire in await source.envelopes()]
        with pytest.raises(ForeignImport):
            await log.append(*imports(stray))
        assert (await log.head()).position == 1

    async def test_two_sources_are_counted_apart(
        self, log: Log, source: Log, new_engine_url: Callable[[], str]
    ) -> None:
        async with a_log(new_engine_url(), Ports(SimulatedClock(START), seeded(4)), service="third") as third:
            theirs = imports(await third.envelopes())
            lines = imports(await source.envelopes())
            await log.append(*lines[:2], *theirs, *lines[2:])
        for line, reached in ((lines[0], 5), (theirs[0], 1)):
            upto = partial(reading.imported_upto, org="demo", log_id=str(line.envelope.log_id))
            assert await log.database.read(upto) == reached

    async def test_a_type_nobody_here_knows_is_carried_along(self, log: Log, source: Log) -> None:
        await log.append(*imports(await source.envelopes()))
        record = (await log.records())[2]
        assert EventTypes([Noted]).decode(record) is None
        assert record.data == (await source.envelopes())[1].data

    async def test_a_sealed_event_arrives_sealed(self, log: Log, source: Log) -> None:
        await source.append(proposed(a_person(1, "柳承远")))
        await log.append(*imports(await source.envelopes()))
        record = (await log.records())[-1]
        assert "柳承远".encode() not in record.data
        event = log.types.decode(record)
        assert isinstance(getattr(event, "name", None), Seal)
