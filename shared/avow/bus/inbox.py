"""The inbox: takes another service's events into the importer's own log, whole and in their order.

Promises: each event once, whatever is delivered twice, in another order, by several processes or not at all; a hole
stops it and is named; what is no sound event of the one log it imports from is refused, counted and logged, and holds
nothing up (tests/integration/test_feed_inbox.py).
Limit: a log that was opened anew is refused for ever, since the events imported from the old one still stand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeGuard
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, select

from avow.bus.taken import Taken
from avow.contracts import envelope
from avow.contracts.book import BookOpened
from avow.contracts.envelope import Envelope, NotAnEnvelope
from avow.eventlog.append import UnknownOrganisation, read_head
from avow.eventlog.appender import Appender
from avow.eventlog.batch import Conflict, Head
from avow.eventlog.database import Database
from avow.eventlog.records import IMPORT, Import, import_stream
from avow.eventlog.tables import event
from avow.observe import tracing

BATCH = 500
"""The most events that are committed together."""
Read = Import | str
"""What a line is: an event to import, or why it never is one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Judged:
    """The log to import from, how far it is imported, and which lines are of it."""

    log_id: UUID | None
    refused: Mapping[int, str]
    taking: Mapping[int, Import]
    reached: int


class Inbox:
    """Imports into the log of one organisation, from one log of each other service.

    What it has imported it remembers, so that a steady stream is imported without asking the log where it ends: whoever
    else imports makes the next append a conflict, and a hole is looked at again.
    """

    def __init__(self, database: Database, appender: Appender, org: str) -> None:
        self.org = org
        self._database = database
        self._appender = appender
        self._own: Head | None = None
        self._sources: dict[str, Envelope] = {}
        """The last event of each service that is known to be imported."""

    async def sources(self) -> Mapping[str, Envelope]:
        """The last event imported of each service."""
        self._sources = await self._database.read(partial(last_imported, org=self.org))
        return dict(self._sources)

    async def copy(self, log_id: UUID, sequence: int) -> Envelope | None:
        """What was imported of a log at a sequence."""
        return await self._database.read(partial(_imported_at, org=self.org, log_id=log_id, sequence=sequence))

    async def refusals(self, lines: Iterable[bytes]) -> Mapping[int, str]:
        """Why lines would never be taken, by their places; those that may be are not named. Raises
        UnknownOrganisation."""
        return (await self._judged(self.read(lines))).refused

    async def take(self, lines: Iterable[bytes]) -> Taken:
        """Import what follows on what is imported; `lines` are those of one log, in any order.

        Raises UnknownOrganisation, or the appender's errors; what was committed until then stays.
        """
        return await self.take_in(self.read(lines))

    def read(self, lines: Iterable[bytes]) -> list[Read]:
        """What lines are by themselves, in their order."""
        return [self._read(line) for line in lines]

    async def take_in(self, read: Sequence[Read]) -> Taken:
        """Import lines that were read; as `take`."""
        judged = await self._judged(read)
        log_id, refused, taking = judged.log_id, judged.refused, judged.taking
        if refused:
            because = dict(Counter(refused.values()))
            log.warning("import.rejected", org=self.org, lines=len(refused), because=because)
        if log_id is None:
            return Taken(rejected=len(refused), refused=refused)
        imported, reached = await self._append(log_id, list(taking.values()), judged.reached)
        ahead = {place: item.envelope.sequence for place, item in taking.items() if item.envelope.sequence > reached}
        return Taken(
            imported=imported,
            duplicates=len(taking) - imported - len(ahead),
            missing=range(reached + 1, min(ahead.values())) if ahead else None,
            rejected=len(refused),
            reached=reached,
            refused=refused,
            ahead=frozenset(ahead),
        )

    async def _judged(self, read: Sequence[Read]) -> _Judged:
        if self._own is None:
            self._own = await self._database.read(self._book)
        own = self._own
        foreign = [item for item in read if _is_foreign(item, own)]
        if any(item.envelope.service not in self._sources for item in foreign):
            # Another process may have begun with a log of that service.
            await self.sources()
        log_id = _source_of(foreign, self._sources)
        refused = {place: reason for place, item in enumerate(read) if (reason := _refusal(item, own, log_id))}
        taking = {place: item for place, item in enumerate(read) if isinstance(item, Import) and place not in refused}
        return _Judged(log_id, refused, taking, self._known(log_id))

    def _read(self, line: bytes) -> Read:
        try:
            wire = envelope.decode(line)
        except NotAnEnvelope:
            return "form"
        if wire.org != self.org:
            return "another organisation"
        if not wire.leaf_holds():
            return "leaf"
        if wire.sequence == 1 and not _opens_its_book(wire):
            return "beginning"
        return Import(line, wire)

    def _book(self, connection: Connection) -> Head:
        own = read_head(connection, self.org)
        if own is None:
            raise UnknownOrganisation(self.org)
        return own

    async def _append(self, log_id: UUID, sound: Sequence[Import], reached: int) -> tuple[int, int]:
        waiting = {item.envelope.sequence: item for item in reversed(sound)}
        last, imported, looked = max(waiting, default=0), 0, False
        while reached < last:
            if run := _run(waiting, reached):
                begun = tracing.begin()
                try:
                    appended = await self._appender.append(self.org, run)
                except Conflict:
                    # Another process was quicker. That it got further is what bounds the tries.
                    before, reached = reached, await self._reached(log_id)
                    if reached <= before:
                        raise
                    continue
                tracing.note_each("import", (item.envelope.traceparent for item in run), begun, org=self.org)
                imported += sum(not row.repeated for row in appended)
                reached += len(run)
                self._sources[run[-1].envelope.service] = run[-1].envelope
            elif looked:
                break
            else:
                # What is missing may have been imported by another process.
                reached, looked = max(reached, await self._reached(log_id)), True
        return imported, reached

    async def _reached(self, log_id: UUID) -> int:
        await self.sources()
        return self._known(log_id)

    def _known(self, log_id: UUID | None) -> int:
        """The last sequence known to be imported of a log."""
        return next((last.sequence for last in self._sources.values() if last.log_id == log_id), 0)


def last_imported(connection: Connection, org: str) -> dict[str, Envelope]:
    """The last event imported of each service's log, by the service's name."""
    own = event.c.org == org
    # Every log begins with its book: asked for by their type alone, these are few rows of one index. A range of streams
    # would make SQLite go through everything that was imported.
    begun = connection.scalars(select(event.c.stream).where(own, event.c.type == BookOpened.type)).all()
    found = {}
    for stream in (stream for stream in begun if stream.startswith(IMPORT)):
        newest = select(event.c.data).where(own, event.c.stream == stream).order_by(event.c.version.desc()).limit(1)
        last = envelope.decode(connection.execute(newest).scalar_one())
        found[last.service] = last
    return found


def _imported_at(connection: Connection, org: str, log_id: UUID, sequence: int) -> Envelope | None:
    at = event.c.org == org, event.c.stream == import_stream(log_id), event.c.version == sequence
    line = connection.scalar(select(event.c.data).where(*at))
    return None if line is None else envelope.decode(line)


def _is_foreign(item: Read, own: Head) -> TypeGuard[Import]:
    """Whether it is a sound event of another log."""
    return isinstance(item, Import) and item.envelope.service != own.service and item.envelope.log_id != own.log_id


def _refusal(item: Read, own: Head, log_id: UUID | None) -> str | None:
    """Why an item is never taken, where `log_id` is the log that is imported from."""
    if isinstance(item, str):
        return item
    if not _is_foreign(item, own):
        return "own log"
    return None if item.envelope.log_id == log_id else "another log"


def _source_of(items: Iterable[Import], sources: Mapping[str, Envelope]) -> UUID | None:
    """The log to take the items of: the one that is imported already, or the first of a service that has none."""
    fresh = None
    for item in items:
        last = sources.get(item.envelope.service)
        if last is None:
            fresh = fresh or item.envelope.log_id
        elif last.log_id == item.envelope.log_id:
            return last.log_id
    return fresh


def _opens_its_book(wire: Envelope) -> bool:
    try:
        return wire.type == BookOpened.type and BookOpened.model_validate_json(wire.data).log_id == wire.log_id
    except ValidationError:
        return False


def _run(waiting: Mapping[int, Import], reached: int) -> list[Import]:
    """Up to a batch of what follows directly on `reached`."""
    run: list[Import] = []
    while len(run) < BATCH and (item := waiting.get(reached + len(run) + 1)) is not None:
        run.append(item)
    return run
