"""Two axes of time: `as_of`, the day things are shown as they stood on, and `known_at`, the day's knowledge of them.

Promises: `known_at` keeps what was recorded by then, a prefix of the log, because `recorded_at` never runs backwards
along it; `as_of` drops what occurred later, by each event's own time, its source's where it was imported
(tests/contract/test_asof.py). In evaluation, known means recorded by evaluation. A day stands for its end in Beijing
time (Asia/Shanghai), the day it is for this moment; any other moment says its zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from avow.eventlog.append import read_head
from avow.eventlog.tables import event
from avow.kernel.refusal import Refusal, require

ZONE = ZoneInfo("Asia/Shanghai")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Asked:
    """A place on both axes, as somebody wrote it; none where the axis is left open."""

    as_of: str | None = None
    known_at: str | None = None

    def __bool__(self) -> bool:
        return self.as_of is not None or self.known_at is not None


TODAY = Asked()


@dataclass(frozen=True)
class Cut:
    """Where a log is cut for an answer: the last position known, the last moment that had come, the first event's."""

    position: int
    as_of: datetime | None
    begun: datetime

    def require_begun(self, events: int) -> None:
        """Refuses a moment before the book, unless something entered late is known to have occurred by then."""
        begun = self.as_of is None or self.as_of >= self.begun
        require(events or begun, "as_of.before_book", "as_of", began=_local(self.begun))


def cut(connection: Connection, org: str, asked: Asked, now: datetime) -> Cut:
    """Where the log is to be cut.

    Raises Refusal: `as_of.malformed`, `as_of.in_the_future`, `as_of.before_book`, each with the field at fault.
    """
    head = read_head(connection, org)
    if head is None:
        raise Refusal("org.unknown", "org", org=org)
    now = max(now, head.recorded_at)
    as_of = None if asked.as_of is None else _moment(asked.as_of, "as_of", now)
    known = now if asked.known_at is None else _moment(asked.known_at, "known_at", now)
    begun, recorded = _times(connection, org, 1)
    require(known >= recorded, "as_of.before_book", "known_at", began=_local(recorded))
    return Cut(_last_recorded_by(connection, org, known, head.position), as_of, begun)


def _last_recorded_by(connection: Connection, org: str, known: datetime, last: int) -> int:
    """The last position recorded by a moment that is not before the first."""
    low, high = 1, last
    while low < high:
        middle = (low + high + 1) // 2
        if _times(connection, org, middle)[1] <= known:
            low = middle
        else:
            high = middle - 1
    return low


def _times(connection: Connection, org: str, position: int) -> tuple[datetime, datetime]:
    query = select(event.c.occurred_at, event.c.recorded_at).where(event.c.org == org, event.c.position == position)
    row = connection.execute(query).one()
    return row.occurred_at, row.recorded_at


def _moment(said: str, field: str, now: datetime) -> datetime:
    try:
        if _DAY.fullmatch(said):
            begins = datetime.combine(date.fromisoformat(said), time.min, ZONE).astimezone(UTC)
            require(begins <= now, "as_of.in_the_future", field, given=said, now=_local(now))
            return min(begins + timedelta(days=1) - timedelta(microseconds=1), now)
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refusal("as_of.malformed", field) from error
    require(moment <= now, "as_of.in_the_future", field, given=_local(moment), now=_local(now))
    return moment


def _local(moment: datetime) -> str:
    return moment.astimezone(ZONE).isoformat(timespec="seconds")
