"""The tail: what will stand behind the end of a log, planned as callers come, while what came before is being written.

It rests on what this process remembers of the log, takes no lock and reads nothing. Promises: a request is planned
whole or not at all; what is planned is written whole, in its order, behind the end of the log as it is remembered, or
not at all because somebody else wrote meanwhile: the statement that writes it moves the head, and no other way is there
to write. What a plan cannot do (refuse, recognise a retry, seal, destroy a key) it leaves to a transaction.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from uuid import UUID

from avow.eventlog.batch import Head, Numbering, Request, event_id_of
from avow.eventlog.compose import Chain, Composed, behind
from avow.eventlog.database import Database, PostgresDatabase
from avow.eventlog.erasure import erased_by
from avow.eventlog.memory import Remembered
from avow.eventlog.records import Appended, Import, Proposed
from avow.eventlog.statements import SWAP, VERSIONS, insert_behind, swap_arguments, versions_of
from avow.kernel.message import Event
from avow.kernel.ports import Ports
from avow.kernel.seal import destroyed_keys, sealed_fields


@dataclass(frozen=True, slots=True)
class Cut:
    """The beginning of a tail, to be written by one statement: between `head` and `behind`."""

    answers: list[list[Appended]]
    rows: list[Composed]
    head: Head
    behind: Head


class Tail:
    """What is planned behind the end of one log, and not yet written."""

    def __init__(self, org: str, known: Remembered, ports: Ports) -> None:
        self.known = known
        """The end of the log as written, and the versions its streams have behind the whole tail."""
        self._org = org
        self._ports = ports
        self._numbers = Numbering(org, known.head, known.versions)
        self._chain = Chain(org, known.head, ports.random_bytes)
        self._planned: deque[tuple[list[Appended], list[Composed]]] = deque()
        self._ids: set[UUID] = set()

    def add(self, request: Request) -> bool:
        """Plan a request behind those before; False where that takes a look at the log, or a transaction."""
        if not self._can_plan(request):
            return False
        items = request.items
        try:
            payloads = [(item.event.model_dump_json().encode(), None) for item in items if isinstance(item, Proposed)]
        except Exception:  # noqa: BLE001 - the transaction says to its caller what is wrong with an event
            return False
        places = self._numbers.place(request)
        if isinstance(places, Exception):
            return False
        recorded_at = self._chain.time_of(items, self._ports.clock.now())
        rows = self._chain.rows(zip(items, places, strict=True), payloads, recorded_at)
        self._ids.update(at.event_id for at in places)
        self._planned.append((places, rows))
        return True

    def _can_plan(self, request: Request) -> bool:
        """Whether it has events, none sealed, destroying a key or already planned, and only streams known or begun.

        A stream it begins (expected at 0) need not be known: if it has events already, its first version is taken.
        """
        versions, begun = self.known.versions, set()
        for item in request.items:
            if event_id_of(item) in self._ids or not _takes_no_key(item):
                return False
            if item.stream not in versions:
                if request.expect.get(item.stream) != 0:
                    return False
                begun.add(item.stream)
        return bool(request.items) and all(stream in versions or stream in begun for stream in request.expect)

    def cut(self, most: int) -> Cut:
        """Take the first `most` requests off the tail, to be written now."""
        taken = [self._planned.popleft() for _ in range(min(most, len(self._planned)))]
        rows = [row for _, planned in taken for row in planned]
        return Cut([places for places, _ in taken], rows, self.known.head, behind(self.known.head, rows))

    def written(self, cut: Cut) -> None:
        """Note that a cut has been written: the log ends behind it."""
        self.known.head = cut.behind
        self.known.forget(but={at.stream for places, _ in self._planned for at in places})
        self._ids.difference_update(at.event_id for places in cut.answers for at in places)


def _takes_no_key(item: Proposed | Import) -> bool:
    return _is_plain(type(item.event)) if isinstance(item, Proposed) else not erased_by(item)


@cache
def _is_plain(event_type: type[Event]) -> bool:
    return not sealed_fields(event_type) and not destroyed_keys(event_type)


async def swap(database: Database, org: str, cut: Cut) -> bool:
    """Write a cut, committed; False, and nothing written, if the log does not end where the cut begins.

    Raises IntegrityError where an event id, or the first version of a stream, is in the log already.
    """
    if isinstance(database, PostgresDatabase):
        arguments = swap_arguments(org, cut.head, cut.rows, cut.behind)
        return await database.direct.count(SWAP, *arguments) == len(cut.rows)
    work = partial(insert_behind, org=org, head=cut.head, rows=cut.rows, behind=cut.behind)
    return await database.write(work)


async def look_up(database: Database, org: str, streams: Sequence[str]) -> dict[str, int]:
    """The version of each of these streams (0: no such stream), as the log ends now."""
    if isinstance(database, PostgresDatabase):
        return {stream: version or 0 for stream, version in await database.direct.rows(VERSIONS, org, streams)}
    found = await database.read(partial(versions_of, org=org, streams=streams))
    return dict.fromkeys(streams, 0) | found
