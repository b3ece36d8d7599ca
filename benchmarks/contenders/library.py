"""The `eventsourcing` library, on the path its documentation recommends: aggregates, saved by an application."""

import threading
import time
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from sqlalchemy import make_url

from benchmarks.workload import UNIT, fields, summed


class Note(Aggregate):
    @event("Started")
    def __init__(self) -> None:
        self.amount = 0

    @event("Noted")
    def note(self, item_id: str, unit_id: str, title: str, text: str, amount: int, target: int) -> None:
        self.amount += amount


class Notes(Application[UUID]):
    """Nothing beyond the library's own."""


class Library:
    """One application over one database."""

    name = "eventsourcing 9.5.6"

    def __init__(self, url: str) -> None:
        self._application = Notes(env=environment(url))
        self._recorder: Any = self._application.recorder
        self._aggregate: UUID | None = None

    def close(self) -> None:
        self._application.close()

    def fill(self, upto: int) -> None:
        """Bring the log to so many events, copies of one that was saved."""
        note = Note()
        note.note(**fields("fill", 1))
        stored = [self._application.mapper.to_stored_event(e) for e in note.collect_events()]
        have = self._recorder.max_notification_id() or 0
        while have < upto:
            many = min(2000, (upto - have + 1) // 2)
            copies = [
                type(s)(originator_id, s.originator_version, s.topic, s.state)
                for originator_id in (uuid4() for _ in range(many))
                for s in stored
            ]
            self._recorder.insert_events(copies)
            have += len(copies)

    def aggregate(self, events: int) -> None:
        """Save one aggregate with so many events."""
        note = Note()
        for n in range(events - 1):
            note.note(**fields("a", n))
        self._application.save(note)
        self._aggregate = note.id

    def append(self, callers: int, seconds: float) -> float:
        """Events a second that so many threads save, one event a call, each to its aggregate."""
        done = [0] * callers
        begin = time.perf_counter()
        until = begin + seconds

        def caller(k: int) -> None:
            note, n = Note(), 0
            self._application.save(note)
            while time.perf_counter() < until:
                note.note(**fields(str(k), n))
                self._application.save(note)
                n += 1
            done[k] = n + 1

        threads = [threading.Thread(target=caller, args=(k,)) for k in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / (time.perf_counter() - begin)

    def load(self, times: int) -> float:
        """Aggregates a second from the repository."""
        assert self._aggregate is not None
        begin = time.perf_counter()
        for _ in range(times):
            note: Note = self._application.repository.get(self._aggregate)
            assert note.amount
        return times / (time.perf_counter() - begin)

    def replay(self, events: int) -> float:
        """Events a second of the notification log, mapped to domain events and folded."""
        totals: dict[str, int] = {}
        begin, start, seen = time.perf_counter(), 1, 0
        while seen < events:
            page = self._recorder.select_notifications(start, 2000)
            for notification in page:
                happened: Any = self._application.mapper.to_domain_event(notification)
                if isinstance(happened, Note.Noted):  # type: ignore[attr-defined]
                    summed(totals, happened.unit_id, happened.amount)
            start, seen = page[-1].id + 1, seen + len(page)
        assert totals[UNIT]
        return seen / (time.perf_counter() - begin)


def environment(url: str) -> dict[str, str]:
    """How the library is told where its database is."""
    at = make_url(url)
    if at.get_backend_name() == "sqlite":
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(at.database)}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(at.database),
        "POSTGRES_HOST": str(at.host),
        "POSTGRES_PORT": str(at.port),
        "POSTGRES_USER": str(at.username),
        "POSTGRES_PASSWORD": "",
        "POSTGRES_POOL_SIZE": "16",
        "POSTGRES_MAX_OVERFLOW": "16",
    }
