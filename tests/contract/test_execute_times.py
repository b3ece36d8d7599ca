"""Nothing happens in the future or before what its stream holds already, and what is late says why (R-02)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from avow.eventlog.execute import Origin
from avow.kernel.ports import Ports, seeded
from avow.kernel.refusal import Refusal
from tests.kit.counter import Add, Added, Grounding, a_counter
from tests.kit.logs import START, TYPES, Log, LooseClock, a_log, identity

A = identity(1)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def clock() -> LooseClock:
    return LooseClock(START)


@pytest.fixture
async def log(engine_url: str, clock: LooseClock) -> AsyncIterator[Log]:
    """A log on a clock that the test sets."""
    async with a_log(engine_url, Ports(clock, seeded(1)), types=(*TYPES, Added)) as opened:
        yield opened


async def add(log: Log, at: datetime | None, reason: str | None = None, key: str | None = None) -> datetime:
    """When what was added is said to have happened."""
    origin = Origin("demo", retry_key=key)
    await log.executor.execute(a_counter(), A, Add(by=1, occurred_at=at, late_reason=reason), Grounding(), origin)
    return (await log.records())[-1].occurred_at


async def refused(log: Log, at: datetime, reason: str | None = None) -> tuple[str, str | None]:
    before = len(await log.rows())
    with pytest.raises(Refusal) as refusal:
        await add(log, at, reason)
    assert len(await log.rows()) == before
    return refusal.value.code, refusal.value.field


class TestTimes:
    async def test_what_gives_no_time_happened_now(self, log: Log) -> None:
        assert await add(log, None) == START

    async def test_a_time_in_another_zone_is_the_same_moment(self, log: Log) -> None:
        happened = await add(log, START.astimezone(timezone(timedelta(hours=8))))
        assert (happened, happened.tzinfo) == (START, UTC)

    async def test_nothing_happens_in_the_future(self, log: Log) -> None:
        assert await refused(log, START + TICK) == ("time.in_the_future", "occurred_at")
        assert await add(log, START) == START

    async def test_nothing_happens_before_what_the_stream_holds_already(self, log: Log) -> None:
        await add(log, START - DAY)
        assert await refused(log, START - DAY - TICK) == ("time.backwards", "occurred_at")
        assert await add(log, START - DAY) == START - DAY

    async def test_seven_days_later_is_in_time_and_after_that_a_reason_is_due(self, log: Log) -> None:
        assert await refused(log, START - 7 * DAY - TICK) == ("time.late_without_reason", "late_reason")
        assert await add(log, START - 7 * DAY) == START - 7 * DAY

    async def test_what_is_late_keeps_its_reason(self, log: Log) -> None:
        assert await add(log, START - 30 * DAY, "停电") == START - 30 * DAY
        row = (await log.rows())[-1]
        assert (row.late_reason, row.recorded_at) == ("停电", START)

    async def test_a_repeated_command_is_not_late(self, log: Log, clock: LooseClock) -> None:
        at = START - 6 * DAY
        await add(log, at, key="key-1")
        clock.time = START + 3 * DAY
        assert await add(log, at, key="key-1") == at
        assert len(await log.rows()) == 2

    async def test_a_clock_a_little_behind_lets_time_stand_still(self, log: Log, clock: LooseClock) -> None:
        await add(log, None)
        clock.time = START - timedelta(milliseconds=20)
        assert await add(log, None) == START
        assert await refused(log, START - timedelta(milliseconds=30)) == ("time.backwards", "occurred_at")

    async def test_whoever_executes_may_say_when_it_happened(self, log: Log) -> None:
        command, origin = Add(by=1), Origin("demo")
        await log.executor.execute(a_counter(), A, command, Grounding(), origin, occurred_at=START - 30 * DAY)
        assert (await log.records())[-1].occurred_at == START - 30 * DAY
        with pytest.raises(Refusal, match=r"time\.backwards"):
            await log.executor.execute(a_counter(), A, command, Grounding(), origin, occurred_at=START - 31 * DAY)


def test_a_moment_outside_the_calendar_is_no_command() -> None:
    with pytest.raises(ValidationError, match="years 1 to 9999"):
        Add(by=1, occurred_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
