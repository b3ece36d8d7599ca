"""The beacon: tells the other processes over one PostgreSQL that a log has grown, and is told by them.

It only wakes: whoever misses it looks by himself after half a second, so it may be away, late or doubled. It stands
outside the append: a batch is answered before anybody is told of it (tests/contract/test_beacon.py).
"""

import asyncio
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import DisconnectionError

from avow.eventlog.database import AWAY, PostgresDatabase
from avow.eventlog.signal import Signal

CHANNEL = "avow_grown"
IDLE = 2.0
"""Seconds after which a connection that broke unnoticed is found out."""
PAUSE = 1.0

log = structlog.get_logger(__name__)


class Beacon:
    """Carries `grown` between the processes of one service, between `start` and `stop`."""

    def __init__(self, database: PostgresDatabase, grown: Signal, me: UUID) -> None:
        self._database = database
        self._grown = grown
        self._me = str(me)
        self._echoes = 0
        """How often it was raised for what another process wrote."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tell and listen in a task of its own."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the task, and give its connection back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._shine()
            except (*AWAY, DisconnectionError, asyncpg.InterfaceError) as error:
                log.info("beacon.interrupted", reason=type(error).__name__)
            await asyncio.sleep(PAUSE)

    async def _shine(self) -> None:
        async with self._database.listening(CHANNEL, self._heard) as tell:
            told = self._own
            while True:
                seen, own = self._grown.raised, self._own
                await tell(self._me if own != told else None)
                told = own
                await self._grown.wait(IDLE, seen)

    @property
    def _own(self) -> int:
        return self._grown.raised - self._echoes

    def _heard(self, sender: str) -> None:
        if sender != self._me:
            self._echoes += 1
            self._grown.raise_()
