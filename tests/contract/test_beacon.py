"""What one process wrote wakes those who wait in another, over one PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from avow.eventlog.beacon import Beacon
from avow.eventlog.database import PostgresDatabase
from avow.eventlog.signal import Signal

FOR_EVER = 30.0
SOON = 0.2
END_EVERY_OTHER = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def a_process(url: str, number: int) -> AsyncIterator[Signal]:
    """The signal of a process whose beacon shines."""
    database, grown = PostgresDatabase(url), Signal()
    beacon = Beacon(database, grown, UUID(int=number))
    beacon.start()
    await asyncio.sleep(SOON)
    try:
        yield grown
    finally:
        await beacon.stop()
        await database.close()


async def test_one_process_wakes_the_other_and_they_do_not_go_on_waking_each_other(postgres_url: str) -> None:
    async with a_process(postgres_url, 1) as here, a_process(postgres_url, 2) as there:
        for time in range(1, 4):
            seen = there.raised
            here.raise_()
            async with asyncio.timeout(FOR_EVER):
                await there.wait(FOR_EVER, seen)
            await asyncio.sleep(SOON)
            assert (here.raised, there.raised) == (time, time)


async def test_it_shines_again_after_its_connection_broke(postgres_url: str) -> None:
    async with a_process(postgres_url, 1) as here, a_process(postgres_url, 2) as there:
        other = PostgresDatabase(postgres_url)
        ended = await other.write(lambda connection: connection.scalar(text(END_EVERY_OTHER)))
        await other.close()
        assert ended >= 2
        async with asyncio.timeout(FOR_EVER):
            while there.raised == 0:
                here.raise_()
                await asyncio.sleep(SOON)
