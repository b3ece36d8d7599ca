"""The appender: one task per process that gathers concurrent callers into batches (group commit).

Promises: every caller gets an answer; all or nothing for each; a batch that fails is retried caller by caller, so one
caller cannot poison another; an unknown commit is resolved by the events' ids, else it is OutcomeUnknown
(tests/contract/test_appender.py).
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from avow.eventlog.append import read_head, write_batch
from avow.eventlog.batch import Answer, IdTaken, OutcomeUnknown, Request, Written, standing
from avow.eventlog.database import Database, PostgresDatabase
from avow.eventlog.memory import Memory, Remembered
from avow.eventlog.records import Appended, Import, Proposed
from avow.eventlog.signal import Signal
from avow.eventlog.statements import find_events
from avow.eventlog.swap import swap, swap_within
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
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            self._grown.raise_()

    async def _answers(self, org: str, requests: Sequence[Request]) -> list[Answer]:
        try:
            try:
                return await self._write(org, requests, repeating=False)
            except IntegrityError:
                # Perhaps callers who ask again: now their ids are looked up.
                return await self._write(org, requests, repeating=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if len(requests) > 1:
                return [await self._alone(org, request, _lost(error)) for request in requests]
            return [await self._resolve(org, requests[0], error, _lost(error))]

    async def _alone(self, org: str, request: Request, in_doubt: bool) -> Answer:
        try:
            return (await self._write(org, [request], repeating=True))[0]
        except Exception as error:  # noqa: BLE001 - it is the caller's answer
            return await self._resolve(org, request, error, in_doubt or _lost(error))

    async def _write(self, org: str, requests: Sequence[Request], repeating: bool) -> list[Answer]:
        # Nothing is remembered of a log while it is not known what became of a write.
        remembered = self._memory.take(org)
        written: Written | None = None
        if isinstance(self._database, PostgresDatabase) and remembered and remembered.undisturbed and not repeating:
            written = await swap(self._database.direct, org, requests, self._ports, remembered)
        if written is None:
            written = await self._database.write(
                partial(_transact, org=org, requests=requests, ports=self._ports, known=remembered, repeating=repeating)
            )
        if remembered is None or not written.undisturbed:
            remembered = Remembered(written.head)
        remembered.undisturbed = written.undisturbed
        self._memory.keep(org, remembered, written.head, written.versions)
        return written.answers

    async def _resolve(self, org: str, request: Request, error: Exception, in_doubt: bool) -> Answer:
        if not in_doubt and not isinstance(error, IntegrityError):
            return error

        def found(connection: Connection) -> dict[UUID, Appended]:
            # A commit that was cut off may still be under way; it holds the head until it is through.
            read_head(connection, org, lock=True)
            return find_events(connection, org, request.event_ids)

        try:
            written = await self._database.write(found)
        except Exception:  # noqa: BLE001 - the database cannot even be asked
            return OutcomeUnknown(str(error)) if in_doubt else error
        if not written:
            return error
        return standing(request, written) or IdTaken(", ".join(sorted(str(event_id) for event_id in written)))


def _transact(
    connection: Connection,
    org: str,
    requests: Sequence[Request],
    ports: Ports,
    known: Remembered | None,
    repeating: bool,
) -> Written:
    if connection.dialect.name == "sqlite" and known is not None and not repeating:
        # The transaction holds the whole file, and to try costs less than to read the head.
        written = swap_within(connection, org, requests, ports, known)
        if written is not None:
            return written
    return write_batch(connection, org, requests, ports, known, repeating)


def _lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
