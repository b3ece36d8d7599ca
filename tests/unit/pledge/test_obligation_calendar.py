"""Obligations on a real log: assessed by the office, changed by late entries, shown in the calendar; on each engine."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.projections.listing import Asked
from avow_pledge.domain.meeting import meeting
from avow_pledge.domain.membership import TransferMember, membership
from avow_pledge.domain.obligation import AssessObligations, WaiveObligation, obligation_round, round_id
from avow_pledge.domain.obligation.evidence import EVIDENCE
from avow_pledge.domain.pledge import ApprovePledge, MakePledge, SubmitPledge, pledge
from avow_pledge.domain.unit import MergeUnit, unit
from avow_pledge.facts import meeting_facts, membership_facts, obligation_facts, pledge_facts, unit_facts
from avow_pledge.projections.obligation_calendar import ObligationCalendar
from avow_pledge.reading.obligations import (
    OBLIGATIONS,
    ROUNDS,
    ObligationEntry,
    ObligationsWanted,
    RoundEntry,
    RoundsWanted,
)
from tests.kit.logs import ORG, identity
from tests.unit.pledge.builders import CAMPAIGN, LEADER, MEETING, MEMBER, OTHER_UNIT, PLEDGE, SECRETARY, UNIT
from tests.unit.pledge.college import OFFICE_HAND, OUTSIDER, College, a_comment, a_draft, a_meeting

JULY = AssessObligations(campaign_id=CAMPAIGN, obligation="monthly_committee", starts_on=date(2010, 7, 1))
ROUND = round_id(CAMPAIGN, "monthly_committee", date(2010, 7, 1))


def at(college: College, year: int, month: int, day: int) -> datetime:
    """Move the clock on; the college's morning of that day."""
    moment = datetime(year, month, day, 1, tzinfo=UTC)
    college.clock.set(moment)
    return moment


async def assess(college: College, command: AssessObligations = JULY) -> int:
    identity = round_id(command.campaign_id, command.obligation, command.starts_on)
    return len((await college.tell(obligation_round, identity, command, obligation_facts, OFFICE_HAND)).events)


async def the_calendar(college: College, **wanted: object) -> Sequence[ObligationEntry]:
    return await college.entries(OBLIGATIONS, ObligationsWanted(**wanted))  # type: ignore[arg-type]


async def the_rounds(college: College) -> dict[tuple[str, date], RoundEntry]:
    found = await college.entries(ROUNDS, RoundsWanted(CAMPAIGN), Asked(limit=500))
    return {(entry.obligation, entry.starts_on): entry for entry in found}


def test_every_event_that_can_be_evidence_is_public_and_kept_as_such() -> None:
    assert set(EVIDENCE) <= set(PUBLIC_EVENTS["pledge"])
    assert {event.type for event in EVIDENCE} <= set(ObligationCalendar.handlers)


async def test_a_month_is_assessed_and_a_late_entry_changes_what_was_said(college: College) -> None:
    """R-33"""
    held = at(college, 2010, 7, 31)
    at(college, 2010, 8, 6)
    assert await assess(college) == 2
    assert {(entry.owner.id, entry.outcome) for entry in await the_calendar(college)} == {
        (UNIT, "missed"),
        (OTHER_UNIT, "missed"),
    }
    assert await assess(college) == 0
    at(college, 2010, 8, 20)
    late = a_meeting().model_copy(update={"occurred_at": held, "late_reason": "会议记录月末才定稿"})
    record = (await college.tell(meeting, MEETING, late, meeting_facts, SECRETARY)).events[0]
    assert await assess(college) == 1
    (entry,) = await the_calendar(college, unit_id=UNIT)
    assert (entry.outcome, entry.met_on, entry.met_by) == ("met", date(2010, 7, 31), [str(record.event_id)])
    assert (entry.round_id, entry.assessed_at) == (ROUND, college.clock.now())
    assert [e.owner.id for e in await the_calendar(college, outcome="missed", round_id=ROUND)] == [OTHER_UNIT]


async def test_what_had_not_happened_when_it_is_assessed_does_not_count(college: College) -> None:
    """R-33: an assessment entered late says what was to be said on its day."""
    assessing = at(college, 2010, 8, 6)
    at(college, 2010, 8, 10)
    for meeting_id in (MEETING, identity(600)):
        await college.tell(meeting, meeting_id, a_meeting(), meeting_facts, SECRETARY)
    assert await assess(college, JULY.model_copy(update={"occurred_at": assessing})) == 2
    assert {entry.outcome for entry in await the_calendar(college)} == {"missed"}
    assert await assess(college) == 1
    assert [entry.owner.id for entry in await the_calendar(college, outcome="met_late")] == [UNIT]


async def test_assessing_and_waiving_are_the_offices(college: College) -> None:
    """R-33"""
    at(college, 2010, 8, 6)
    refused = await college.refuses(obligation_round, ROUND, JULY, obligation_facts, SECRETARY)
    assert refused == "actor.lacks_role"
    await assess(college)
    (entry,) = await the_calendar(college, unit_id=UNIT)
    waive = WaiveObligation(obligation_id=entry.obligation_id, reason="支委外出集中培训")
    refused = await college.refuses(obligation_round, ROUND, waive, obligation_facts, SECRETARY)
    assert refused == "actor.lacks_role"
    await college.tell(obligation_round, ROUND, waive, obligation_facts, OFFICE_HAND)
    (entry,) = await the_calendar(college, waived=True)
    assert (entry.owner.id, entry.outcome, entry.reason) == (UNIT, "missed", "支委外出集中培训")
    assert entry.waived_at == college.clock.now()
    elsewhere = round_id(CAMPAIGN, "monthly_committee", date(2010, 8, 1))
    assert await college.refuses(obligation_round, elsewhere, waive, obligation_facts) == "obligation.unknown"


async def test_the_rounds_say_what_is_due_overdue_and_assessed(college: College) -> None:
    """R-33"""
    at(college, 2010, 7, 31)
    key = ("monthly_committee", date(2010, 7, 1))
    assert (await the_rounds(college))[key].state == "due"
    assert ("quarterly_summary", date(2010, 7, 1)) in await the_rounds(college)
    for day, state, ripe in ((1, "overdue", False), (5, "overdue", False), (6, "overdue", True)):
        at(college, 2010, 8, day)
        entry = (await the_rounds(college))[key]
        assert (entry.round_id, entry.state, entry.ripe, entry.assessed) == (ROUND, state, ripe, 0)
    await assess(college)
    entry = (await the_rounds(college))[key]
    assert (entry.state, entry.ripe, entry.assessed) == ("assessed", False, 2)


async def test_a_quarter_takes_a_summary_with_a_comment_on_the_unit(college: College) -> None:
    """R-34, R-36"""
    at(college, 2010, 9, 20)
    summary = a_meeting().model_copy(update={"kind": "stage_summary"})
    await college.tell(meeting, MEETING, summary, meeting_facts, SECRETARY)
    on_a_member = a_comment().model_copy(update={"person_id": MEMBER})
    await college.tell(meeting, MEETING, on_a_member, meeting_facts, LEADER)
    at(college, 2010, 10, 11)
    quarter = AssessObligations(campaign_id=CAMPAIGN, obligation="quarterly_summary", starts_on=date(2010, 7, 1))
    await assess(college, quarter)
    (entry,) = await the_calendar(college, obligation="quarterly_summary", owner_id=UNIT)
    assert entry.outcome == "missed"
    await college.tell(meeting, MEETING, a_comment(), meeting_facts, LEADER)
    assert await assess(college, quarter) == 1
    (entry,) = await the_calendar(college, obligation="quarterly_summary", owner_id=UNIT)
    assert (entry.outcome, entry.met_on, len(entry.met_by)) == ("met_late", date(2010, 10, 11), 2)


async def test_every_member_owes_a_pledge_a_phase_in_the_unit_they_are_in_when_it_is_due(college: College) -> None:
    """R-28, C10"""
    at(college, 2011, 7, 1)
    for command in (a_draft(), SubmitPledge(), ApprovePledge(), MakePledge(channel="website")):
        await college.tell(pledge, PLEDGE, command, pledge_facts)
    move = TransferMember(from_unit_id=OTHER_UNIT, to_unit_id=UNIT)
    await college.tell(membership, OUTSIDER, move, membership_facts)
    at(college, 2011, 9, 15)
    phase = AssessObligations(campaign_id=CAMPAIGN, obligation="member_pledge", starts_on=date(2011, 7, 1))
    assert await assess(college, phase) == 4
    found = {entry.owner.id: (entry.unit_id, entry.outcome) for entry in await the_calendar(college)}
    assert found == {
        MEMBER: (UNIT, "met"),
        SECRETARY: (UNIT, "missed"),
        OUTSIDER: (UNIT, "missed"),
        LEADER: (OTHER_UNIT, "missed"),
    }


async def test_a_unit_that_was_merged_owes_no_more(college: College) -> None:
    """C10"""
    at(college, 2010, 7, 31)
    for person_id in (LEADER, OUTSIDER):
        move = TransferMember(from_unit_id=OTHER_UNIT, to_unit_id=UNIT)
        await college.tell(membership, person_id, move, membership_facts)
    await college.tell(unit, OTHER_UNIT, MergeUnit(into_unit_id=UNIT), unit_facts)
    at(college, 2010, 8, 6)
    assert await assess(college) == 1
    assert [entry.owner.id for entry in await the_calendar(college)] == [UNIT]


async def test_the_calendar_goes_on_where_the_page_before_ended(college: College) -> None:
    at(college, 2010, 8, 6)
    await assess(college)
    first, second = await the_calendar(college)
    now = college.clock.now()
    page = await college.see(
        lambda connection: OBLIGATIONS.page(connection, ORG, ObligationsWanted(), now, Asked(limit=1))
    )
    assert page.items == [first]
    assert await college.entries(OBLIGATIONS, ObligationsWanted(), Asked(after=page.next)) == [second]
