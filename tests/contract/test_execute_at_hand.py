"""What is at hand decides only while it holds: states nobody read, facts that were read before."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import Connection

from avow.eventlog import reading
from avow.eventlog.execute import Asked, Grounds, Origin
from avow.eventlog.statements import versions_of
from avow.kernel.decider import Facts
from tests.kit.counter import STREAM, Add, Added, Grounding, a_counter
from tests.kit.logs import TYPES, Log, Noted, a_log, identity, proposed

A, B = identity(1), identity(2)


def keyed(key: str = "key-1") -> Origin:
    return Origin("demo", None, "POST /counters", key, UUID(int=1))


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log that knows what a counter says."""
    async with a_log(engine_url, types=(*TYPES, Added)) as opened:
        yield opened


async def total(log: Log, counter: str = A) -> int:
    records = await log.database.read(partial(reading.stream, org="demo", name=f"{STREAM}/{counter}"))
    return a_counter().fold(log.types.decode_as((Added,), records))


async def test_a_command_that_begins_an_aggregate_is_decided_on_nothing_until_that_turns_out_wrong(
    log: Log,
) -> None:
    seen: list[int] = []
    begin = partial(log.executor.execute, a_counter(seen), command=Add(by=1), ground=Grounding(), begins=True)
    await begin(A, origin=keyed())
    assert (await begin(A, origin=keyed())).repeated
    await log.append(proposed(Added(by=10), f"{STREAM}/{B}"))
    await begin(B, origin=keyed("key-2"))
    assert (seen, await total(log), await total(log, B)) == ([0, 1, 0, 10], 1, 11)


async def test_a_fact_at_hand_decides_only_while_it_holds(log: Log) -> None:
    read: list[int] = []

    def ground(connection: Connection, asked: Asked[Add, int]) -> Grounds[Facts]:
        def look() -> int:
            read.append(versions_of(connection, "demo", ["round/1"]).get("round/1", 0))
            return read[-1]

        return Grounds(Facts(asked.occurred_at), {"round/1": asked.recall("round/1", look)}, guarded=True)

    for _ in range(2):
        await log.executor.execute(a_counter(), A, Add(by=1), ground, Origin("demo"))
    assert read == [0]
    await log.append(proposed(Noted(text="the round was closed"), "round/1"))
    for _ in range(2):
        await log.executor.execute(a_counter(), A, Add(by=1), ground, Origin("demo"))
    assert (read, await total(log)) == ([0, 1], 4)
