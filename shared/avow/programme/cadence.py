"""The catalogue of obligations: who owes what by when, and what meets it (requirements R-32…R-50).

Promises: a due rule is data and says nothing about today. A period counts when the whole of it lies within the
campaign, in the template's time zone; computing the day is the domain's part, since working days need a calendar.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from avow.programme.vocabulary import Count, Day, Flag, Key, Part, RefersTo, Subject, Term

EventName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$")]
"""An event's name on the wire, such as `meeting.held`."""

Period = Literal["month", "quarter", "half_year"]
"""A stretch of the calendar, not counted from the campaign's start."""


class Evidence(Part):
    """An event that counts towards an obligation, narrowed by what it is about.

    A comment is of the kind and has the agenda of the meeting it was made at.
    `for_each` asks for one such event for each unit category, each of the owner's liaison units, or both subjects.
    """

    event: EventName
    meeting_kind: Annotated[Key | None, RefersTo("meeting_kinds")] = None
    agenda_tag: Annotated[Key | None, RefersTo("agenda_tags")] = None
    activity_kind: Annotated[Key | None, RefersTo("activity_kinds")] = None
    inspection_mode: Annotated[Key | None, RefersTo("inspection_modes")] = None
    subject: Subject | None = None
    for_each: Literal["category", "liaison_unit", "subject"] | None = None


class Responsible(Part):
    """Who owes or acts: every unit of these kinds, every holder of these roles, every member, whoever is assigned."""

    units: Annotated[tuple[Key, ...], RefersTo("unit_kinds")] = ()
    roles: Annotated[tuple[Key, ...], RefersTo("roles")] = ()
    members: Flag = False
    assignee: Flag = False

    @property
    def nobody(self) -> bool:
        """Whether no one at all is named."""
        return not (self.units or self.roles or self.members or self.assignee)


class FromStart(Part):
    """So many days after the start of the campaign or of each phase."""

    rule: Literal["from_start"]
    of: Literal["campaign", "phase"]
    days: Count


class PeriodStart(Part):
    """Before each period begins."""

    rule: Literal["period_start"]
    period: Period


class PeriodEnd(Part):
    """On the last day of each period, or so many days later."""

    rule: Literal["period_end"]
    period: Period
    days: Count = 0


class After(Part):
    """So many working days after an event."""

    rule: Literal["after"]
    evidence: Evidence
    working_days: Count


class Before(Part):
    """Before an event of the owner's own."""

    rule: Literal["before"]
    evidence: Evidence


class OnDates(Part):
    """On fixed days."""

    rule: Literal["on"]
    dates: Annotated[tuple[Day, ...], Field(min_length=1)]


class AsAssigned(Part):
    """By the day given when it was assigned."""

    rule: Literal["as_assigned"]


Due = Annotated[
    FromStart | PeriodStart | PeriodEnd | After | Before | OnDates | AsAssigned, Field(discriminator="rule")
]


class Obligation(Term):
    """One duty; it is met by all of `satisfied_by` together.

    `grace_days` are working days where the due rule counts working days. `soft`: due in principle, so a miss may be
    waived with a reason. `advisory`: a miss is shown and never counted.
    """

    owner: Responsible
    satisfied_by: Annotated[tuple[Evidence, ...], Field(min_length=1)]
    due: Due
    grace_days: Count
    soft: Flag
    advisory: Flag = False
