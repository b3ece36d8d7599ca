"""What the log holds can be checked by anybody with SQL and a hash function, and cannot be altered through SQL."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from avow.contracts.campaign import CampaignApproved
from avow.contracts.organisation import MemberEnrolled
from avow.contracts.values import Label
from avow.eventlog.records import Context
from avow.eventlog.types import EventTypes
from avow.kernel.ports import Ports, seeded
from tests.kit.logs import START, TYPES, Log, LooseClock, Noted, a_log, a_person, a_unit, enrolled, identity, proposed

HASHED = (
    *("org", "sequence", "stream", "version", "event_id", "type", "schema", "occurred_at", "recorded_at"),
    *("campaign", "actor", "on_behalf_of", "correlation_id", "causation_id", "traceparent", "late_reason"),
    *("data", "sealed"),
)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

ALTERATIONS = {
    "both": [
        "UPDATE event SET actor = 'x' WHERE position = 2",
        "UPDATE event SET data = data",
        "DELETE FROM event WHERE position = 2",
        "DELETE FROM event",
        """
        INSERT INTO event SELECT * FROM event WHERE position = 2
        ON CONFLICT (org, position) DO UPDATE SET actor = 'x'
        """,
    ],
    "postgresql": ["TRUNCATE event", "TRUNCATE log_head, event CASCADE"],
    "sqlite": [
        "INSERT OR REPLACE INTO event SELECT * FROM event WHERE position = 2",
        """
        REPLACE INTO event SELECT org, 99, 99, 'other/1', 1, event_id, type, schema, occurred_at, recorded_at, campaign,
        actor, on_behalf_of, correlation_id, causation_id, traceparent, late_reason, data, sealed, salt, leaf, hash,
        format FROM event WHERE position = 2
        """,
    ],
}


def _raw(connection: Connection) -> list[dict[str, Any]]:
    """The rows as the driver gives them, past every column type of ours."""
    return [dict(row) for row in connection.execute(text("SELECT * FROM event ORDER BY position")).mappings()]


def _execute(statement: str, connection: Connection) -> None:
    connection.execute(text(statement))


def _written(column: str, value: Any) -> bytes:
    if column.endswith("_id"):
        return str(UUID(str(value))).encode()
    if column.endswith("_at"):
        if isinstance(value, datetime):
            value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value)
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _leaf(row: dict[str, Any]) -> bytes:
    hashed = b"\x00\x01" + row["salt"]
    for column in HASHED:
        if row[column] is None:
            hashed += b"\xff\xff\xff\xff"
        else:
            written = _written(column, row[column])
            hashed += len(written).to_bytes(4, "big") + written
    return sha256(hashed).digest()


async def _a_full_log(log: Log) -> None:
    """Rows of every shape: public, private and sealed, with all context and with none."""
    full = Context(
        occurred_at=START,
        actor=identity(9),
        on_behalf_of=identity(8),
        campaign=identity(7),
        correlation_id=UUID(int=1),
        causation_id=UUID(int=2),
        traceparent=TRACE,
        late_reason="补录",
    )
    await log.append(proposed(a_unit(1), context=full), proposed(Noted(text="私下")))
    await log.append(proposed(a_person(2)), proposed(enrolled(2, 1)))


class TestProof:
    async def test_leaves_and_chain_can_be_recomputed_from_raw_rows(self, log: Log) -> None:
        await _a_full_log(log)
        rows = await log.database.read(_raw)
        assert len(rows) == 5
        previous = bytes(32)
        for row in rows:
            assert row["format"] == 1
            assert len(row["salt"]) == 16
            assert row["leaf"] == _leaf(row)
            assert row["hash"] == sha256(previous + row["leaf"]).digest()
            previous = row["hash"]
        assert (await log.head()).hash == previous
        assert len({row["salt"] for row in rows}) == 5

    async def test_the_leaf_travels_with_all_it_was_computed_from(self, log: Log) -> None:
        await _a_full_log(log)
        envelopes = await log.envelopes()
        rows = [row for row in await log.rows() if row.sequence is not None]
        assert [wire.leaf for wire in envelopes] == [row.leaf for row in rows]
        assert all(wire.leaf_holds() for wire in envelopes)

    async def test_data_is_kept_byte_for_byte(self, log: Log) -> None:
        odd = CampaignApproved(
            campaign_id=identity(1),
            template="cxzy-2010",
            template_version=1,
            title=Label(zh="明诺", en='quote " backslash \\ and \u2028'[:-1]),
            starts_on=START.date(),
            ends_on=None,
            document_text_sha256=None,
            programme={"b": [1, 2.5, None, True], "a": "\u0000\u2028\U0001f600</script>", "": {}},
        )
        await log.append(proposed(odd))
        row = (await log.rows())[-1]
        assert row.data == odd.model_dump_json().encode()
        record = (await log.records())[-1]
        assert record.data == row.data
        assert EventTypes([CampaignApproved]).decode(record) == odd
        assert (await log.envelopes())[-1].data == row.data

    async def test_times_come_back_in_utc_to_the_microsecond(self, log: Log) -> None:
        east = timezone(timedelta(hours=8))
        happened = datetime(2010, 5, 31, 23, 59, 59, 999999, tzinfo=east)
        since = datetime(2010, 1, 1, 8, 0, 0, 1, tzinfo=east)
        await log.append(proposed(enrolled(1, 2, since), at=happened))
        record = (await log.records())[-1]
        assert record.occurred_at == happened
        assert (record.occurred_at.tzinfo, record.occurred_at.microsecond) == (UTC, 999999)
        assert [row.recorded_at for row in await log.rows()] == [START, START]
        event = log.types.decode(record)
        assert isinstance(event, MemberEnrolled)
        assert (event.since, event.since.tzinfo) == (datetime(2010, 1, 1, 0, 0, 0, 1, tzinfo=UTC), UTC)

    async def test_early_years_keep_their_order(self, log: Log) -> None:
        years = (1, 33, 999, 1000, 9999)
        for year in years:
            await log.append(proposed(a_unit(year), at=datetime(year, 1, 1, tzinfo=UTC)))
        query = text("SELECT position FROM event WHERE position > 1 ORDER BY occurred_at")
        assert await log.database.read(lambda c: c.execute(query).scalars().all()) == [2, 3, 4, 5, 6]
        assert [record.occurred_at.year for record in (await log.records())[1:]] == list(years)

    async def test_a_time_without_a_zone_is_refused(self, log: Log) -> None:
        with pytest.raises(ValueError, match="without a time zone"):
            await log.append(proposed(a_unit(1), at=datetime(2010, 6, 1)))  # noqa: DTZ001 - the point of it
        assert (await log.head()).position == 1

    async def test_recorded_at_never_runs_backwards_when_the_clock_is_set_back(self, engine_url: str) -> None:
        clock = LooseClock()
        async with a_log(engine_url, Ports(clock, seeded(1))) as log:
            for hours in (1, -5, -4, 2, 0):
                clock.time = START + timedelta(hours=hours)
                await log.append(proposed(a_unit(1), at=clock.time))
            recorded = [row.recorded_at - START for row in await log.rows()]
            assert recorded == [timedelta(hours=hours) for hours in (0, 1, 1, 1, 2, 2)]
            assert (await log.head()).recorded_at == START + timedelta(hours=2)

    async def test_no_statement_alters_what_is_written(self, log: Log) -> None:
        await _a_full_log(log)
        before = await log.database.read(_raw)
        for statement in ALTERATIONS["both"] + ALTERATIONS[log.database.dialect]:
            with pytest.raises(DBAPIError, match="append-only"):
                await log.database.write(partial(_execute, statement))
            assert await log.database.read(_raw) == before

    async def test_whoever_reads_cannot_write(self, log: Log) -> None:
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            await log.database.read(lambda connection: connection.execute(text("UPDATE log_head SET position = 0")))
        assert (await log.head()).position == 1

    async def test_creating_the_log_again_leaves_it_as_it_is(self, log: Log) -> None:
        await _a_full_log(log)
        before = await log.rows()
        async with a_log(log.url, types=TYPES) as again:
            assert await again.rows() == before
