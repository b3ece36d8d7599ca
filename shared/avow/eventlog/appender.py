"""The appender: one task per process that gathers concurrent callers into batches (group commit).

Promises: every caller gets an answer; all or nothing for each; a batch that one of its callers spoils is written by
halves, so nobody else is refused; what was broken off is written again behind the lock, where the events' ids show
whether it had taken effect, else it is OutcomeUnknown; while the database itself fails, whoever waits is told so at
once (tests/contract/test_appender.py, tests/faults).
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy.exc import IntegrityError

from avow.eventlog.append import Answer, Written, swap_batch, write_batch
from avow.eventlog.batch import IdTaken, OutcomeUnknown, Request
from avow.eventlog.database import Database, PostgresDatabase
from avow.eventlog.faults import fault_of, in_doubt
from avow.eventlog.memory import Memory, Remembered
from avow.eventlog.records import Appended, Import, Proposed
from avow.eventlog.signal import Signal
from avow.eventlog.statements import find_events
from avow.kernel.ports import Ports

BATCH = 256
_Waiting = tuple[Request, asyncio.Future[list[Appended]]]


class Appender:
    """Appends to the logs of one database; `grown` is raised after each batch."""

    def __init__(self, database: Database, ports: Ports, grown: Signal) -> None:
        self._database = database
        self._ports = ports
        self._grown = grown
        self._memory = Memory()
        self._pending: dict[str, deque[_Waiting]] = {}
        """Who waits, by organisation; the one whose turn is next stands first."""
        self._draining: asyncio.Task[None] | None = None

    async def append(
        self, org: str, items: Sequence[Proposed | Import], expect: Mapping[str, int] | None = None
    ) -> list[Appended]:
        """Append `items` if every stream in `expect` has the version given; where they stand in the log.

        Raises Conflict, ForeignImport, IdTaken, UnknownOrganisation, OutcomeUnknown, or the database's error.
        """
        waiting: asyncio.Future[list[Appended]] = asyncio.get_running_loop().create_future()
        self._pending.setdefault(org, deque()).append((Request(items, expect or {}), waiting))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await waiting

    async def settled(self) -> None:
        """Return when every caller so far has an answer, so that the database may be closed."""
        if self._draining is not None:
            await asyncio.gather(self._draining, return_exceptions=True)

    async def _drain(self) -> None:
        while self._pending:
            org, waiting = next(iter(self._pending.items()))
            batch = [waiting.popleft() for _ in range(min(len(waiting), BATCH))]
            del self._pending[org]
            if waiting:
                self._pending[org] = waiting
            answers = await self._answers(org, [request for request, _ in batch])
            _hand_out(batch, answers)
            if isinstance(answers[-1], Exception) and fault_of(answers[-1]) and org in self._pending:
                # Whoever came meanwhile would wait for the same failure; nothing of theirs was sent.
                stranded = self._pending.pop(org)
                _hand_out(stranded, answers[-1:] * len(stranded))
            self._grown.raise_()

    async def _answers(self, org: str, requests: Sequence[Request]) -> list[Answer]:
        try:
            return await self._write(org, requests, repeating=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if fault_of(error) and not in_doubt(error):
                return [error] * len(requests)
            return await self._settle(org, requests, in_doubt(error))

    async def _settle(self, org: str, requests: Sequence[Request], doubtful: bool) -> list[Answer]:
        """Write once more, their ids looked up first: all of them, else half of them at a time.

        A statement that was broken off may still reach the database. It takes effect before this one, and its ids are
        found; or after, and the head has moved on; so it is written once.
        """
        try:
            return await self._write(org, requests, repeating=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if fault_of(error):
                unknown = doubtful or in_doubt(error)
                return [OutcomeUnknown(str(error)) if unknown else error for _ in requests]
            if len(requests) == 1:
                return [await self._refusal(org, requests[0], error)]
        half = len(requests) // 2
        first = await self._settle(org, requests[:half], doubtful)
        return first + await self._settle(org, requests[half:], doubtful)

    async def _write(self, org: str, requests: Sequence[Request], repeating: bool) -> list[Answer]:
        # Nothing is remembered of a log while it is not known what became of a write.
        remembered = self._memory.take(org)
        written: Written | None = None
        if isinstance(self._database, PostgresDatabase) and remembered and remembered.undisturbed and not repeating:
            swap = partial(swap_batch, org=org, requests=requests, ports=self._ports, remembered=remembered)
            written = await self._database.commit_each(swap)
        if written is None:
            lock = partial(write_batch, org=org, requests=requests, ports=self._ports)
            written = await self._database.write(partial(lock, remembered=remembered, repeating=repeating))
        if remembered is None or not written.undisturbed:
            remembered = Remembered(written.head)
        remembered.undisturbed = written.undisturbed
        self._memory.keep(org, remembered, written.head, written.versions)
        return written.answers

    async def _refusal(self, org: str, request: Request, error: Exception) -> Exception:
        """What a request is refused with: the database's error, or IdTaken where that is the reason."""
        if not isinstance(error, IntegrityError):
            return error
        ids = partial(find_events, org=org, ids=request.event_ids)
        try:
            taken = await self._database.read(ids)
        except Exception:  # noqa: BLE001 - the error at hand says as much
            return error
        return IdTaken(", ".join(sorted(map(str, taken)))) if taken else error


def _hand_out(waiting: Iterable[_Waiting], answers: Sequence[Answer]) -> None:
    for (_, future), answer in zip(waiting, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
