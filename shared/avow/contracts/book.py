"""The book itself: what the first event of every log says.

Limit: it is read before anything else is known of a log, by an importer and by `avow verify`, so it keeps its schema.
"""

from uuid import UUID

from avow.kernel.message import PublicEvent
from avow.kernel.ports import ClockKind


class BookOpened(PublicEvent, type="book.opened"):
    """An organisation's log was opened in a service: its identity, and the kind of clock its times come from.

    A log that was made anew or restored from elsewhere is noticed by its `log_id`.
    """

    log_id: UUID
    service: str
    clock: ClockKind
