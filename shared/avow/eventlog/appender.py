"""The appender: one task per process that gathers concurrent callers into batches (group commit).

Promises: every caller gets an answer; all or nothing for each; a batch that fails is retried caller by caller, so one
caller cannot poison another; an unknown commit is resolved by the events' ids, else it is OutcomeUnknown
(tests/contract/test_appender.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from avow.eventlog.append import Answer, find_events, read_head, write_batch
from avow.eventlog.batch import IdTaken, OutcomeUnknown, Request, standing
from avow.eventlog.database import Database
from avow.eventlog.records import Appended, Import, Proposed
from avow.eventlog.signal import Signal
from avow.kernel.ports import Ports

BATCH = 256
_Waiting = tuple[str, Request, asyncio.Future[list[Appended]]]


class Appender:
    """Appends to the logs of one database; `grown` is raised after each batch."""

    def __init__(self, database: Database, ports: Ports, grown: Signal) -> None:
        self._database = database
        self._ports = ports
        self._grown = grown
        self._pending: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None

    async def append(
        self, org: str, items: Sequence[Proposed | Import], expect: Mapping[str, int] | None = None
    ) -> list[Appended]:
        """Append `items` if every stream in `expect` has the version given; where they stand in the log.

        Raises Conflict, ForeignImport, IdTaken, UnknownOrganisation, OutcomeUnknown, or the database's error.
        """
        waiting: asyncio.Future[list[Appended]] = asyncio.get_running_loop().create_future()
        self._pending.append((org, Request(items, expect or {}), waiting))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await waiting

    async def settled(self) -> None:
        """Return when every caller so far has an answer, so that the database may be closed."""
        if self._draining is not None:
            await asyncio.gather(self._draining, return_exceptions=True)

    async def _drain(self) -> None:
        while self._pending:
            org = self._pending[0][0]
            batch = [waiting for waiting in self._pending if waiting[0] == org][:BATCH]
            taken = {id(waiting) for waiting in batch}
            self._pending = [waiting for waiting in self._pending if id(waiting) not in taken]
            for (_, _, future), answer in zip(batch, await self._answers(org, batch), strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            self._grown.raise_()

    async def _answers(self, org: str, batch: Sequence[_Waiting]) -> list[Answer]:
        requests = [request for _, request, _ in batch]
        try:
            return await self._write(org, requests)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if len(requests) > 1:
                return [await self._alone(org, request, _lost(error)) for request in requests]
            return [await self._resolve(org, requests[0], error, _lost(error))]

    async def _alone(self, org: str, request: Request, in_doubt: bool) -> Answer:
        try:
            return (await self._write(org, [request]))[0]
        except Exception as error:  # noqa: BLE001 - it is the caller's answer
            return await self._resolve(org, request, error, in_doubt or _lost(error))

    async def _write(self, org: str, requests: Sequence[Request]) -> list[Answer]:
        return await self._database.write(lambda connection: write_batch(connection, org, requests, self._ports))

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


def _lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
