"""The `eventsourcing` library's projection runner, as documented: a view that tracks, one row an event."""

import time
from itertools import count
from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

from benchmarks.contenders.library import Library, Note, Notes, environment

_numbers = count(1)


class NotesView(PostgresTrackingRecorder):
    """The rows, and how far they are, in one transaction an event."""

    def __init__(self, datastore: PostgresDatastore, **more: Any) -> None:
        super().__init__(datastore, **more)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {0}.note_row (item_id text PRIMARY KEY, unit_id text, title text,"
                " amount bigint, target bigint)"
            ).format(Identifier(datastore.schema))
        )

    def put(self, note: Any, tracking: Tracking) -> None:
        # The log is filled with copies of one note, so the row is named by its place.
        row = (f"{tracking.notification_id}", note.unit_id, note.title, note.amount, note.target)
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO note_row VALUES (%s, %s, %s, %s, %s) ON CONFLICT (item_id) DO UPDATE"
                " SET unit_id = excluded.unit_id, title = excluded.title, amount = excluded.amount,"
                " target = excluded.target",
                row,
            )


class _Noted(Projection[NotesView]):
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        if isinstance(domain_event, Note.Noted):  # type: ignore[attr-defined]
            self.view.put(domain_event, tracking)
        else:
            self.view.insert_tracking(tracking)


class LibraryViews(Library):
    """The library's log with a projection beside it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._url = url

    def project(self, seconds: float) -> float:
        """Events a second taken into a view that begins at the first, for so long."""
        name = f"notes{next(_numbers)}"
        projection = type("Noted", (_Noted,), {"name": name})
        env = environment(self._url)
        with ProjectionRunner(
            application_class=Notes, projection_class=projection, view_class=NotesView, env=env
        ) as runner:
            began = time.perf_counter()
            time.sleep(seconds)
            done = runner.projection.view.max_tracking_id("Notes") or 0
            return done / (time.perf_counter() - began)
