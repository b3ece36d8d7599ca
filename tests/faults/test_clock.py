"""The machine's clock is set back two hours: the log's time stands still until it has caught up (R-02).

Covers "clock jump" of the fault table, also across a restart of the process.
"""

from datetime import timedelta

import pytest

from avow.eventlog.execute import Origin
from avow.kernel.ports import Ports, seeded
from avow.kernel.refusal import Refusal
from tests.kit.counter import Add, Added, Grounding, a_counter
from tests.kit.logs import START, TYPES, Log, LooseClock, a_log, identity, proposed

A = identity(1)
TWO_HOURS, MINUTE = timedelta(hours=2), timedelta(minutes=1)


async def add(log: Log, *minutes_ago: int) -> None:
    at = [log.ports.clock.now() - n * MINUTE for n in minutes_ago]
    command = Add(by=1, occurred_at=at[0] if at else None)
    await log.executor.execute(a_counter(), A, command, Grounding(), Origin("demo"))


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_appends_go_on_and_no_time_runs_backwards(engine_url: str, restarted: bool) -> None:
    clock = LooseClock(START)
    async with a_log(engine_url, Ports(clock, seeded(1)), types=(*TYPES, Added)) as log:
        await add(log)
        clock.time = START + MINUTE
        await add(log)
        clock.time -= TWO_HOURS
        if not restarted:
            await behind(log)
    async with a_log(engine_url, Ports(clock, seeded(2)), types=(*TYPES, Added)) as log:
        await behind(log)
        clock.time += TWO_HOURS + MINUTE
        await add(log)
        last = (await log.rows())[-1]
        assert (last.occurred_at, last.recorded_at) == (START + 2 * MINUTE, START + 2 * MINUTE)


async def behind(log: Log) -> None:
    """Everything there is to do while the clock is behind."""
    await add(log)
    await log.append(proposed(Added(by=1), at=log.ports.clock.now()))
    # By the clock it lies in the past; in this stream it would run backwards.
    with pytest.raises(Refusal, match=r"time\.backwards"):
        await add(log, 1)
    records = await log.rows()
    assert [record.recorded_at for record in records] == sorted(record.recorded_at for record in records)
    counted = [record.occurred_at for record in records if record.stream == f"counter/{A}"]
    assert counted == sorted(counted)
    assert records[-1].recorded_at == START + MINUTE
