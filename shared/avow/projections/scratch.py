"""Scratch databases: what views showed on another day, kept a while for those who page through it.

Promises: readers run on them unchanged; every answer opens names with the keys of the moment it is given, so an erased
person stays erased; folding happens beside the event loop, once for all who ask for the same (tests/unit/evaluation/
test_asof_over_http.py). Limit: a reader that asks for more than its projections' tables and keys is refused.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, insert
from sqlalchemy.exc import OperationalError

from avow.eventlog.database import Database
from avow.eventlog.keys import erased_among, keys_of
from avow.eventlog.tables import KEY_TABLES, erased_subject
from avow.eventlog.types import EventTypes
from avow.kernel.refusal import Refusal
from avow.projections.asof import Cut
from avow.projections.folding import CannotFold
from avow.projections.projection import Projection
from avow.projections.replay import Replay, a_scratch_engine, replay

T = TypeVar("T")
Keys = list[tuple[Table, list[dict[str, Any]]]]
MOST = 6
"""How many are kept; the one nobody asked for longest goes first."""
_SOME_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Scratch:
    """A database in memory with the rows of some projections, and whose keys their seals need."""

    engine: Engine
    subjects: tuple[str, ...]
    events: int
    lock: Lock = field(default_factory=Lock)
    readers: int = 0
    given_up: bool = False

    def run(self, keys: Keys, work: Callable[[Connection], T]) -> T:
        """What a reader reads here with these keys at hand; they are gone when it is done."""
        with self.lock, self.engine.connect() as connection:
            transaction = connection.begin()
            try:
                for table, rows in keys:
                    if rows:
                        connection.execute(insert(table), rows)
                return work(connection)
            except OperationalError as error:
                raise Refusal("as_of.not_here") from error
            finally:
                transaction.rollback()


class Scratches:
    """The scratch databases of one service."""

    def __init__(self, database: Database, types: EventTypes) -> None:
        self._database = database
        self._types = types
        self._kept: OrderedDict[tuple[object, ...], asyncio.Task[Scratch]] = OrderedDict()

    async def read(self, org: str, projections: Sequence[Projection], cut: Cut, work: Callable[[Connection], T]) -> T:
        """What `work` reads of the projections as they stood. Raises Refusal."""
        scratch = await asyncio.shield(self._scratch(org, projections, cut))
        scratch.readers += 1
        try:
            cut.require_begun(scratch.events)
            keys = await self._database.read(lambda connection: _keys(connection, org, scratch.subjects))
            return await asyncio.to_thread(scratch.run, keys, work)
        finally:
            scratch.readers -= 1
            self._close_if_over(scratch)

    def __len__(self) -> int:
        return len(self._kept)

    async def close(self) -> None:
        """Close every one of them."""
        making = list(self._kept.values())
        self._shrink_to(0)
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    def _scratch(self, org: str, projections: Sequence[Projection], cut: Cut) -> asyncio.Task[Scratch]:
        key = (org, tuple(projection.name for projection in projections), cut.position, cut.as_of)
        making = self._kept.get(key)
        if making is None or (making.done() and (making.cancelled() or making.exception() is not None)):
            making = self._kept[key] = asyncio.create_task(self._make(org, projections, cut))
        self._kept.move_to_end(key)
        self._shrink_to(MOST)
        return making

    def _shrink_to(self, most: int) -> None:
        while len(self._kept) > most:
            self._kept.popitem(last=False)[1].add_done_callback(self._give_up)

    def _give_up(self, making: asyncio.Task[Scratch]) -> None:
        if not making.cancelled() and making.exception() is None:
            making.result().given_up = True
            self._close_if_over(making.result())

    def _close_if_over(self, scratch: Scratch) -> None:
        if scratch.given_up and not scratch.readers:
            scratch.engine.dispose()

    async def _make(self, org: str, projections: Sequence[Projection], cut: Cut) -> Scratch:
        try:
            replays = [await replay(self._database, org, p, self._types, cut.position, cut.as_of) for p in projections]
        except CannotFold as error:
            raise Refusal("as_of.cannot_fold", projection=error.projection, position=error.position) from error
        return await asyncio.to_thread(_written, org, replays)


def _written(org: str, replays: Sequence[Replay]) -> Scratch:
    engine = a_scratch_engine()
    with engine.begin() as connection:
        for table in (*KEY_TABLES, erased_subject):
            table.create(connection)
        for folded in replays:
            folded.write(connection, org)
    subjects = sorted({seal.subject for folded in replays for seal in folded.seals()})
    return Scratch(engine, tuple(subjects), sum(folded.events for folded in replays))


def _keys(connection: Connection, org: str, subjects: Sequence[str]) -> Keys:
    found: Keys = []
    for table in KEY_TABLES:
        # When a key was made matters to nobody who reads.
        more = {"created_at": _SOME_TIME} if "created_at" in table.c else {}
        keys = keys_of(connection, org, subjects, table)
        found.append((table, [{"org": org, "subject": s, "key": k, **more} for s, k in keys.items()]))
    gone = erased_among(connection, org, subjects)
    found.append((erased_subject, [{"org": org, "subject": subject} for subject in sorted(gone)]))
    return found
