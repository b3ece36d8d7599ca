"""Every caller of a batch gets its own answer, whatever the others asked for and wherever the connection broke."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from avow.eventlog.appender import Appender
from avow.eventlog.batch import Conflict, IdTaken, OutcomeUnknown
from avow.eventlog.database import Database, open_database
from avow.eventlog.records import Context, Proposed
from avow.eventlog.signal import Signal
from avow.kernel.message import PrivateEvent
from avow.kernel.ports import Ports
from tests.kit.logs import ORG, START, Log, a_person, a_unit, on_database, proposed

T = TypeVar("T")


class Oversized(PrivateEvent, type="test.oversized"):
    """An event whose schema no database can store as a number."""


Oversized.schema_version = 2**63


def _lost() -> DBAPIError:
    return DBAPIError("COMMIT", None, Exception("the connection was closed"), connection_invalidated=True)


class CutOff:
    """A database whose connection breaks around its next commits: after it took effect, or before, or for ever."""

    def __init__(self, database: Database, breaks: Iterable[str]) -> None:
        self.dialect = database.dialect
        self._database = database
        self._breaks = list(breaks)

    async def write(self, work: Callable[[Connection], T]) -> T:
        how = self._breaks.pop(0) if self._breaks else "not"
        if how == "after the commit":
            await self._database.write(work)
        if how != "not":
            raise ConnectionRefusedError if how == "for ever" else _lost()
        return await self._database.write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read(work)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        return await self._database.glance(work)

    async def close(self) -> None:
        await self._database.close()


class Lingering(CutOff):
    """A database whose first commit is cut off from the caller while it is still under way."""

    def __init__(self, database: Database, url: str) -> None:
        super().__init__(database, ())
        self._elsewhere: Database | None = open_database(url)
        self.finished: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self._elsewhere is None:
            return await self._database.write(work)
        elsewhere, self._elsewhere = self._elsewhere, None
        loop, written = asyncio.get_running_loop(), asyncio.Event()

        def slowly(connection: Connection) -> None:
            work(connection)
            loop.call_soon_threadsafe(written.set)
            if connection.dialect.name == "sqlite":
                time.sleep(0.3)
            else:
                connection.execute(text("SELECT pg_sleep(0.3)"))

        async def finish() -> None:
            await elsewhere.write(slowly)
            await elsewhere.close()

        self.finished = asyncio.create_task(finish())
        await written.wait()
        raise _lost()


def _cut_off(log: Log, *breaks: str) -> Log:
    return on_database(CutOff(log.database, breaks), log.url, log.ports)


def _units(*numbers: int) -> list[Proposed]:
    return [proposed(a_unit(n), f"unit/{n}") for n in numbers]


class TestAppender:
    async def test_when_it_is_settled_every_caller_has_an_answer(self, log: Log) -> None:
        callers = [asyncio.create_task(log.append(*_units(n))) for n in range(1, 9)]
        await asyncio.sleep(0)
        await log.appender.settled()
        await asyncio.sleep(0)
        assert [caller.done() for caller in callers] == [True] * 8
        assert (await log.head()).position == 9

    @pytest.mark.parametrize(
        ("poison", "error"),
        [
            (proposed(a_unit(0), context=Context(START, actor="\ud800")), UnicodeEncodeError),
            (proposed(Oversized()), (OverflowError, DBAPIError)),
        ],
    )
    async def test_what_the_database_refuses_is_refused_to_its_caller_alone(
        self, log: Log, poison: Proposed, error: type[Exception]
    ) -> None:
        before, poisoned, after = await asyncio.gather(
            log.append(*_units(1, 2)), log.append(*_units(3), poison), log.append(*_units(4)), return_exceptions=True
        )
        assert isinstance(poisoned, error)
        assert isinstance(before, list)
        assert isinstance(after, list)
        assert [row.position for row in (*before, *after)] == [2, 3, 4]
        assert [row.stream for row in (await log.rows())[1:]] == ["unit/1", "unit/2", "unit/4"]

    async def test_an_event_id_that_stands_beside_others_is_refused_to_its_caller_alone(self, log: Log) -> None:
        taken, fresh = _units(1, 2)
        await log.append(taken)
        one, mixed, other = await asyncio.gather(
            log.append(*_units(3)), log.append(taken, fresh), log.append(*_units(4)), return_exceptions=True
        )
        assert isinstance(mixed, IdTaken)
        assert str(taken.event_id) in str(mixed)
        assert isinstance(one, list)
        assert isinstance(other, list)
        assert [row.stream for row in (await log.rows())[1:]] == ["unit/1", "unit/3", "unit/4"]

    async def test_a_retry_is_known_beside_a_request_that_shares_one_of_its_ids(self, log: Log) -> None:
        one, two, fresh = _units(1, 2, 3)
        before = await log.append(one, two)
        # A process that has just begun writes both in one transaction.
        begun = Appender(log.database, Ports(), Signal())
        again, mixed = await asyncio.gather(
            begun.append(ORG, [one, two]), begun.append(ORG, [two, fresh]), return_exceptions=True
        )
        assert again == before
        assert isinstance(mixed, IdTaken)
        assert (await log.head()).position == 3

    async def test_one_event_id_for_two_events_is_refused(self, log: Log) -> None:
        one, two = _units(1, 2)
        twin = proposed(a_unit(2), "unit/2", one.event_id)
        with pytest.raises(DBAPIError):
            await log.append(one, twin)
        assert await log.append(one, two)
        assert (await log.head()).position == 3

    async def test_a_caller_whose_events_take_a_key_is_not_overtaken(self, log: Log) -> None:
        for _ in range(3):
            await log.append(*_units(1))
        sealed, plain = await asyncio.gather(
            log.append(proposed(a_person(2), "person/2")), log.append(*_units(1)), return_exceptions=True
        )
        assert isinstance(sealed, list)
        assert isinstance(plain, list)
        assert [row.position for row in (*sealed, *plain)] == [5, 6]

    async def test_a_caller_who_leaves_holds_nobody_up(self, log: Log) -> None:
        tasks = [asyncio.create_task(log.append(*_units(n))) for n in range(5)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[1], asyncio.CancelledError)
        assert all(isinstance(answer, list) for n, answer in enumerate(answers) if n != 1)
        assert [row.position for row in await log.rows()] == list(range(1, 7))

    async def test_the_growth_of_the_log_is_signalled(self, log: Log) -> None:
        waiting = asyncio.create_task(log.grown.wait(30))
        await asyncio.sleep(0)
        await log.append(*_units(1))
        await asyncio.wait_for(waiting, 5)

    async def test_a_commit_that_took_effect_unheard_is_found_by_its_ids(self, log: Log) -> None:
        appended = await _cut_off(log, "after the commit").append(*_units(1, 2))
        assert [row.position for row in appended] == [2, 3]
        assert (await log.head()).position == 3

    @pytest.mark.parametrize("guarded", [True, False])
    async def test_a_batch_that_took_effect_unheard_is_found_by_its_ids(self, log: Log, guarded: bool) -> None:
        cut = _cut_off(log, "after the commit")
        items = _units(1, 2, 3)
        answers = await asyncio.gather(
            *(cut.append(item, expect={item.stream: 0} if guarded else None) for item in items)
        )
        assert [row.position for (row,) in answers] == [2, 3, 4]
        assert (await log.head()).position == 4

    async def test_a_commit_that_took_no_effect_is_made_again(self, log: Log) -> None:
        cut = _cut_off(log, "before the commit")
        assert [row.position for row in await cut.append(*_units(1))] == [2]
        assert (await log.head()).position == 2

    @pytest.mark.parametrize("callers", [1, 3])
    async def test_a_commit_nobody_can_tell_the_outcome_of_is_called_unknown(self, log: Log, callers: int) -> None:
        cut = _cut_off(log, "after the commit", *["for ever"] * 6)
        answers = await asyncio.gather(
            *(cut.append(item) for item in _units(1, 2, 3)[:callers]), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [OutcomeUnknown] * callers

    async def test_a_commit_still_under_way_is_waited_for(self, log: Log) -> None:
        lingering = Lingering(log.database, log.url)
        cut = on_database(lingering, log.url, log.ports)
        appended = await cut.append(*_units(1))
        assert [row.position for row in appended] == [2]
        assert lingering.finished is not None
        await lingering.finished

    async def test_a_database_that_is_away_is_said_to_be(self, log: Log) -> None:
        cut = _cut_off(log, "for ever")
        with pytest.raises(ConnectionRefusedError):
            await cut.append(*_units(1))
        with pytest.raises(Conflict):
            await cut.append(*_units(1), expect={"unit/1": 3})
