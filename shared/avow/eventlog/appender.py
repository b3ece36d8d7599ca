"""The appender: one task per process that gathers concurrent callers into batches (group commit).

Promises: every caller gets an answer; all or nothing for each; a batch that fails is retried caller by caller, so one
caller cannot poison another; an unknown commit is resolved by the events' ids, else it is OutcomeUnknown.
"""

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy.exc import DBAPIError

from avow.eventlog.append import Answer, find_events, write_batch
from avow.eventlog.batch import OutcomeUnknown, Request
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

        Raises Conflict, ForeignImport, UnknownOrganisation, OutcomeUnknown, or the database's error.
        """
        waiting: asyncio.Future[list[Appended]] = asyncio.get_running_loop().create_future()
        self._pending.append((org, Request(items, expect or {}), waiting))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await waiting

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
            return await self._database.write(lambda connection: write_batch(connection, org, requests, self._ports))
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if len(requests) > 1:
                return [await self._alone(org, request) for request in requests]
            return [await self._resolve(org, requests[0], error)]

    async def _alone(self, org: str, request: Request) -> Answer:
        try:
            return (
                await self._database.write(lambda connection: write_batch(connection, org, [request], self._ports))
            )[0]
        except Exception as error:  # noqa: BLE001 - it is the caller's answer
            return await self._resolve(org, request, error)

    async def _resolve(self, org: str, request: Request, error: Exception) -> Answer:
        if not (isinstance(error, DBAPIError) and error.connection_invalidated):
            return error
        ids = [item.event_id if isinstance(item, Proposed) else item.envelope.event_id for item in request.items]
        try:
            found = await self._database.read(lambda connection: find_events(connection, org, ids))
        except Exception:  # noqa: BLE001 - the database cannot even be asked
            return OutcomeUnknown(str(error))
        return [found[event_id] for event_id in ids] if all(event_id in found for event_id in ids) else error
