"""This project's log, through the appender and the reader the services use."""

import asyncio
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import uvloop
from sqlalchemy import Connection

from avow.eventlog import reading
from avow.eventlog.append import open_book, read_head
from avow.eventlog.appender import Appender
from avow.eventlog.database import open_database
from avow.eventlog.records import Context, Proposed
from avow.eventlog.signal import Signal
from avow.eventlog.tables import create_log
from avow.eventlog.types import EventTypes, with_fields
from avow.kernel.ports import Ports
from benchmarks.workload import ORG, UNIT, Noted, fields, summed

T = TypeVar("T")
AGGREGATE = "note/aggregate"


class Avow:
    """One database, and a loop to write and read it in."""

    name = "avow"

    def __init__(self, url: str) -> None:
        self.url = url
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._ports = Ports()
        self._types = EventTypes((Noted,))
        self._open()

    def _open(self) -> None:
        async def start() -> None:
            self._database = open_database(self.url)
            self._appender = Appender(self._database, self._ports, Signal())
            await self._database.write(self._prepare)

        self.run(start())

    def _prepare(self, connection: Connection) -> None:
        create_log(connection)
        open_book(connection, ORG, "bench", self._ports)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        async def stop() -> None:
            await self._appender.settled()
            await self._database.close()

        self.run(stop())
        self._runner.close()

    def fill(self, upto: int) -> None:
        """Bring the log to so many events."""

        async def write() -> None:
            head = await self._database.read(partial(read_head, org=ORG))
            n = head.position if head else 0
            while n < upto:
                many = min(500, upto - n)
                base = uuid4().hex
                await self._appender.append(
                    ORG, [self._proposed(f"note/{base}-{k // 10}", base, k) for k in range(many)]
                )
                n += many

        self.run(write())

    def aggregate(self, events: int) -> None:
        """Write one stream of so many events."""
        self.run(self._appender.append(ORG, [self._proposed(AGGREGATE, "a", n) for n in range(events)]))

    def append(self, callers: int, seconds: float) -> float:
        """Events a second that so many concurrent callers get into the log, one event a call, each to its stream."""

        async def write() -> float:
            done = 0
            base = f"{uuid4().hex[:8]}"
            begin = time.perf_counter()
            until = begin + seconds

            async def caller(k: int) -> None:
                nonlocal done
                stream, n = f"note/{base}-{k}", 0
                while time.perf_counter() < until:
                    await self._appender.append(ORG, [self._proposed(stream, stream, n)])
                    n += 1
                    done += 1

            await asyncio.gather(*(caller(k) for k in range(callers)))
            return done / (time.perf_counter() - begin)

        return self.run(write())

    def load(self, times: int) -> float:
        """Aggregates a second, read from the log and folded."""

        def once(connection: Connection) -> int:
            total = 0
            for event in self._types.decode_as((Noted,), reading.stream(connection, ORG, AGGREGATE)):
                total += event.amount
            return total

        async def all_of_them() -> float:
            begin = time.perf_counter()
            for _ in range(times):
                assert await self._database.read(once)
            return times / (time.perf_counter() - begin)

        return self.run(all_of_them())

    def replay(self, events: int) -> float:
        """Events a second read in order, decoded whole and folded."""
        return self._replay(events, self._types)

    def replay_fields(self, events: int) -> float:
        """The same, where the fold names the two fields it needs."""
        return self._replay(events, EventTypes((with_fields(Noted, "unit_id", "amount"),)))

    def _replay(self, events: int, types: EventTypes) -> float:
        def fold(connection: Connection) -> float:
            totals: dict[str, int] = {}
            begin, after, seen = time.perf_counter(), 0, 0
            while seen < events:
                page = reading.page(connection, ORG, after, 2**53, ("bench.noted",), 2000)
                for record in page:
                    event: Any = types.decode(record)
                    summed(totals, event.unit_id, event.amount)
                after, seen = page[-1].position, seen + len(page)
            assert totals[UNIT]
            return seen / (time.perf_counter() - begin)

        return self.run(self._database.read(fold))

    def _proposed(self, stream: str, caller: str, n: int) -> Proposed:
        context = Context(self._ports.clock.now(), actor=UNIT)
        return Proposed(stream, self._ports.new_id(), Noted(**fields(caller, n)), context)
