"""What meets an obligation: the records that count for it, each for one period (R-32…R-34).

Promises: a record meets one period of an obligation and no other of the same. A period takes the first that lies in it
or in its days of grace and that no earlier period has taken; one that is left without takes, late, what the next one
can spare. Records of one meeting are taken together: a comment counts for the meeting it was made at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from avow.contracts.meeting import CommentRecorded, MeetingHeld
from avow.contracts.obligation import Outcome
from avow.contracts.pledge import PledgeMade
from avow.contracts.work_plan import WorkPlanAdopted
from avow.kernel.message import PublicEvent
from avow.programme.cadence import Evidence, Obligation
from avow_pledge.domain.obligation.calendar import Occasion, has_calendar

EVIDENCE: tuple[type[PublicEvent], ...] = (MeetingHeld, CommentRecorded, PledgeMade, WorkPlanAdopted)
"""The events that can be evidence; an obligation that names any other is not assessed."""


@dataclass(frozen=True)
class Record:
    """An event as evidence: of which type, when and on which day of the campaign's time zone, in which unit.

    `member_id` is whose it is, or whom it is about, where it is not the unit's own. `phase` is what it counts for:
    null where it says nothing of phases, empty where it counts for none.
    """

    event_id: str
    type: str
    at: datetime
    day: date
    unit_id: str
    member_id: str | None = None
    meeting_id: str | None = None
    kind: str | None = None
    agenda: tuple[str, ...] = ()
    phase: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What came of an obligation in a period."""

    outcome: Outcome
    met_on: date | None = None
    met_by: tuple[str, ...] = ()


MISSED = Verdict("missed")
_ON_TIME_FIRST: tuple[Outcome, ...] = ("met", "met_late")


def is_assessable(obligation: Obligation) -> bool:
    """Whether all its evidence can be on record here, its days can be told, and its owners are units or members."""
    known = {event.type for event in EVIDENCE}
    told = all(entry.event in known and not _narrowed_further(entry) for entry in obligation.satisfied_by)
    return told and has_calendar(obligation) and bool(obligation.owner.units or obligation.owner.members)


def verdicts(obligation: Obligation, owed: Sequence[Occasion], records: Sequence[Record]) -> dict[Occasion, Verdict]:
    """What came of each occasion that one owner owes, by that owner's records."""
    free = sorted(records, key=lambda record: (record.at, record.event_id))
    found: dict[Occasion, Verdict] = {}
    for outcome in _ON_TIME_FIRST:
        for occasion in owed:
            late = outcome == "met_late"
            taken = () if occasion in found else _first(obligation, occasion, free, late)
            if taken:
                free = [record for record in free if record not in taken]
                met_by = tuple(record.event_id for record in taken)
                found[occasion] = Verdict(outcome, max(record.day for record in taken), met_by)
    return {occasion: found.get(occasion, MISSED) for occasion in owed}


def _first(obligation: Obligation, occasion: Occasion, free: Sequence[Record], late: bool) -> tuple[Record, ...]:
    """The records that meet an occasion soonest, on time or late; none where nothing does."""
    fitting = [
        together
        for together in _fulfilments(obligation, occasion, free)
        if _is_in_time(occasion, max(record.day for record in together), late)
    ]
    return min(fitting, key=lambda together: max(record.at for record in together), default=())


def _is_in_time(occasion: Occasion, day: date, late: bool) -> bool:
    if not late:
        return day <= occasion.closes_on
    return occasion.closes_on < day and (occasion.late_until is None or day <= occasion.late_until)


def _fulfilments(obligation: Obligation, occasion: Occasion, free: Sequence[Record]) -> Iterator[tuple[Record, ...]]:
    """For each meeting, and without one, the earliest record of each kind that is asked for."""
    begun = [record for record in free if record.day >= occasion.starts_on]
    options = [[record for record in begun if _counts(entry, occasion, record)] for entry in obligation.satisfied_by]
    for meeting_id in dict.fromkeys(record.meeting_id for found in options for record in found):
        picked = tuple(
            record
            for found in options
            for record in [each for each in found if each.meeting_id in (meeting_id, None)][:1]
        )
        if len(picked) == len(options):
            yield picked


def _counts(entry: Evidence, occasion: Occasion, record: Record) -> bool:
    return (
        record.type == entry.event
        and entry.meeting_kind in (None, record.kind)
        and (entry.agenda_tag is None or entry.agenda_tag in record.agenda)
        and (occasion.phase is None or record.phase in (None, occasion.phase))
    )


def _narrowed_further(entry: Evidence) -> bool:
    """Whether it asks for more than a record says."""
    return any((entry.activity_kind, entry.inspection_mode, entry.subject, entry.for_each))
