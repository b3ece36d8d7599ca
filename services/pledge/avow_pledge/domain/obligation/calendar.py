"""The calendar of an obligation: in which periods it is owed and by when (R-33, R-34, R-40).

Promises: a period counts when the whole of it lies within the campaign; periods are those of the calendar, so a
campaign that begins in June owes the month of June and not the quarter. What has not begun by today is not there yet.
Limit: duties that hang on another event or on working days have no calendar here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from avow.programme.cadence import FromStart, Obligation, OnDates, Period, PeriodEnd
from avow_pledge.domain.campaign import RunningCampaign

_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "half_year": 6}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Occasion:
    """One time an obligation is owed: the period, both ends included, the day it is due, and the last day of grace.

    What comes later counts as late until `late_until`, or whenever it comes. Where the duty is one of a phase, only
    what counts for that phase meets it.
    """

    starts_on: date
    ends_on: date
    due_on: date
    closes_on: date
    late_until: date | None = None
    phase: str | None = None


def has_calendar(obligation: Obligation) -> bool:
    """Whether the days of an obligation can be told from the programme alone."""
    return isinstance(obligation.due, FromStart | PeriodEnd | OnDates)


def occasions(obligation: Obligation, campaign: RunningCampaign) -> list[Occasion]:
    """Every time the obligation is owed whose period has begun, in their order."""
    grace = timedelta(days=obligation.grace_days)
    match obligation.due:
        case FromStart() as due:
            found = list(_from_start(due, grace, campaign))
        case PeriodEnd() as due:
            found = list(_periods(due, grace, campaign))
        case OnDates() as due:
            found = list(_dates(due, grace, campaign))
        case _:
            found = []
    return [
        each
        for each in found
        if campaign.includes(each.starts_on) and campaign.includes(each.ends_on) and each.starts_on <= campaign.today
    ]


def _from_start(due: FromStart, grace: timedelta, campaign: RunningCampaign) -> Iterator[Occasion]:
    """From the start of the campaign, or of each phase, to the due day."""
    starts: list[tuple[date, str | None]] = [(campaign.starts_on, None)]
    if due.of == "phase":
        starts = [(phase.starts_on, phase.key) for phase in campaign.programme.phases]
    for start, phase in starts:
        due_on = start + timedelta(days=due.days)
        yield Occasion(start, due_on, due_on, due_on + grace, phase=phase)


def _periods(due: PeriodEnd, grace: timedelta, campaign: RunningCampaign) -> Iterator[Occasion]:
    months = _MONTHS[due.period]
    start = campaign.starts_on.replace(month=(campaign.starts_on.month - 1) // months * months + 1, day=1)
    while start <= campaign.today:
        behind = _later(start, months)
        due_on = behind - _DAY + timedelta(days=due.days)
        yield Occasion(start, behind - _DAY, due_on, due_on + grace, late_until=_later(behind, months) - _DAY)
        start = behind


def _dates(due: OnDates, grace: timedelta, campaign: RunningCampaign) -> Iterator[Occasion]:
    """From the day behind the date before to the date."""
    days = sorted(due.dates)
    starts = [campaign.starts_on, *(day + _DAY for day in days[:-1])]
    late = [*days[1:], None]
    for start, day, late_until in zip(starts, days, late, strict=True):
        yield Occasion(start, day, day, day + grace, late_until=late_until)


def _later(start: date, months: int) -> date:
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1)
