"""The rules of obligations: when they are owed, by whom, what meets them, and what is said of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived, Owner
from avow.programme import load
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.obligation import (
    AssessObligations,
    RoundFacts,
    WaiveObligation,
    obligation_id,
    obligation_round,
)
from avow_pledge.domain.obligation.calendar import Occasion, occasions
from avow_pledge.domain.obligation.evidence import Record, is_assessable, verdicts
from avow_pledge.domain.obligation.owners import Owing, Span, unit_of
from tests.kit.given import given
from tests.kit.logs import identity
from tests.unit.pledge.builders import CAMPAIGN, MEMBER, OTHER_UNIT, UNIT, a_running_campaign

PROGRAMME = load("cxzy-2010")
MONTHLY, QUARTERLY, PLEDGE_DUTY = (
    PROGRAMME.obligation(key) for key in ("monthly_committee", "quarterly_summary", "member_pledge")
)


def on(year: int, month: int, day: int) -> date:
    return date(year, month, day)


def periods(key: str, today: date, ends_on: date | None = None) -> list[tuple[date, date, date, date]]:
    campaign = a_running_campaign(today, ends_on)
    found = occasions(PROGRAMME.obligation(key), campaign)
    return [(each.starts_on, each.ends_on, each.due_on, each.closes_on) for each in found]


def test_months_are_owed_from_the_first_whole_one_to_the_last() -> None:
    """R-33"""
    months = periods("monthly_committee", on(2010, 7, 1))
    assert months == [
        (on(2010, 6, 1), on(2010, 6, 30), on(2010, 6, 30), on(2010, 7, 5)),
        (on(2010, 7, 1), on(2010, 7, 31), on(2010, 7, 31), on(2010, 8, 5)),
    ]
    whole = periods("monthly_committee", on(2013, 1, 1), on(2012, 6, 29))
    assert (len(whole), whole[-1][1]) == (24, on(2012, 5, 31))


def test_a_campaign_that_begins_in_june_owes_no_second_quarter_and_no_first_half_year() -> None:
    """R-34, R-40"""
    assert periods("quarterly_summary", on(2010, 12, 31)) == [
        (on(2010, 7, 1), on(2010, 9, 30), on(2010, 9, 30), on(2010, 10, 10)),
        (on(2010, 10, 1), on(2010, 12, 31), on(2010, 12, 31), on(2011, 1, 10)),
    ]
    assert periods("members_assembly", on(2011, 1, 1)) == [
        (on(2010, 7, 1), on(2010, 12, 31), on(2010, 12, 31), on(2011, 1, 15)),
        (on(2011, 1, 1), on(2011, 6, 30), on(2011, 6, 30), on(2011, 7, 15)),
    ]


def test_what_is_owed_from_the_start_is_owed_once_a_campaign_or_once_a_phase() -> None:
    assert periods("mobilisation", on(2012, 1, 1)) == [
        (on(2010, 6, 1), on(2010, 7, 1), on(2010, 7, 1), on(2010, 7, 11)),
    ]
    assert [each[:3] for each in periods("member_pledge", on(2011, 7, 1))] == [
        (on(2010, 6, 1), on(2010, 7, 31), on(2010, 7, 31)),
        (on(2011, 7, 1), on(2011, 8, 30), on(2011, 8, 30)),
    ]
    assert periods("member_pledge", on(2010, 8, 1), on(2010, 7, 1)) == []


def test_a_date_is_owed_from_the_day_behind_the_one_before() -> None:
    """R-75"""
    programme = load("teaching-excellence")
    campaign = RunningCampaign(CAMPAIGN, programme, programme.starts_on, programme.ends_on, on(2026, 7, 1))
    first, second = occasions(programme.obligation("midterm_check"), campaign)
    assert (first.starts_on, first.due_on, first.late_until) == (on(2025, 9, 1), on(2025, 11, 14), on(2026, 4, 24))
    assert (second.starts_on, second.due_on, second.late_until) == (on(2025, 11, 15), on(2026, 4, 24), None)


def test_an_obligation_is_assessed_where_all_its_evidence_can_be_on_record() -> None:
    """R-33, R-34, R-40"""
    assert {each.key for each in PROGRAMME.obligations if is_assessable(each)} == {
        "mobilisation",
        "work_plan",
        "member_pledge",
        "monthly_committee",
        "quarterly_summary",
        "members_assembly",
    }
    teaching = load("teaching-excellence").obligations
    assert {each.key for each in teaching if is_assessable(each)} == {"member_pledge", "midterm_check"}


SEPTEMBER, OCTOBER, NOVEMBER = occasions(MONTHLY, a_running_campaign(on(2010, 11, 1)))[3:]


def a_meeting(
    year: int, month: int, day: int, kind: str = "branch_committee", agenda: tuple[str, ...] = ("campaign",)
) -> Record:
    return Record(
        event_id=identity(1000 * month + day),
        type="meeting.held",
        at=datetime(year, month, day, 2, tzinfo=UTC),
        day=on(year, month, day),
        unit_id=UNIT,
        meeting_id=identity(1000 * month + day),
        kind=kind,
        agenda=agenda,
    )


def a_comment(year: int, month: int, day: int, of: Record) -> Record:
    """A comment made at a meeting, on that day."""
    said = replace(a_meeting(year, month, day, of.kind or ""), type="comment.recorded", meeting_id=of.meeting_id)
    return replace(said, event_id=identity(50_000 + 100 * month + day))


def outcomes(*records: Record, owed: tuple[Occasion, ...] = (SEPTEMBER, OCTOBER, NOVEMBER)) -> list[str]:
    return [verdict.outcome for verdict in verdicts(MONTHLY, owed, records).values()]


def test_a_meeting_with_the_campaign_on_its_agenda_meets_its_month() -> None:
    """R-33"""
    held = a_meeting(2010, 9, 1)
    (verdict, *_) = verdicts(MONTHLY, (SEPTEMBER,), [held]).values()
    assert (verdict.outcome, verdict.met_on, verdict.met_by) == ("met", on(2010, 9, 1), (held.event_id,))
    routine = a_meeting(2010, 9, 2, agenda=("routine",))
    summary = a_meeting(2010, 9, 3, kind="stage_summary")
    assert outcomes(routine, summary, owed=(SEPTEMBER,)) == ["missed"]


def test_a_meeting_in_the_days_of_grace_meets_the_month_before_and_not_its_own_as_well() -> None:
    """R-33"""
    assert outcomes(a_meeting(2010, 10, 5)) == ["met", "missed", "missed"]
    assert outcomes(a_meeting(2010, 10, 6)) == ["missed", "met", "missed"]
    assert outcomes(a_meeting(2010, 9, 10), a_meeting(2010, 10, 5)) == ["met", "met", "missed"]


def test_a_month_without_takes_late_what_the_next_can_spare_and_no_more() -> None:
    """R-33"""
    assert outcomes(a_meeting(2010, 10, 10), a_meeting(2010, 10, 20)) == ["met_late", "met", "missed"]
    late = verdicts(MONTHLY, (SEPTEMBER, OCTOBER), [a_meeting(2010, 10, 10), a_meeting(2010, 10, 20)])[SEPTEMBER]
    assert (late.met_on, late.met_by) == (on(2010, 10, 20), (a_meeting(2010, 10, 20).event_id,))
    assert outcomes(*(a_meeting(2010, 11, day) for day in (10, 11, 12))) == ["missed", "met_late", "met"]


FALL = occasions(QUARTERLY, a_running_campaign(on(2010, 12, 1)))[0]


def test_a_quarter_is_met_by_a_summary_and_a_comment_made_at_it() -> None:
    """R-34, R-36"""
    summary, other = a_meeting(2010, 9, 20, "stage_summary"), a_meeting(2010, 9, 10, "stage_summary")
    comment = a_comment(2010, 9, 21, summary)
    verdict = verdicts(QUARTERLY, [FALL], [other, summary, comment])[FALL]
    assert (verdict.outcome, verdict.met_on) == ("met", on(2010, 9, 21))
    assert verdict.met_by == (summary.event_id, comment.event_id)
    for records in ([summary], [other, replace(comment, kind="branch_committee")], [comment]):
        assert verdicts(QUARTERLY, [FALL], records)[FALL].outcome == "missed"


def test_a_comment_behind_the_days_of_grace_meets_the_quarter_late() -> None:
    """R-34"""
    summary = a_meeting(2010, 9, 20, "stage_summary")
    for day, outcome in ((10, "met"), (11, "met_late")):
        comment = a_comment(2010, 10, day, summary)
        assert verdicts(QUARTERLY, [FALL], [summary, comment])[FALL].outcome == outcome


def test_a_pledge_meets_the_phase_it_counts_for_whenever_it_comes() -> None:
    """R-28"""
    first, second = occasions(PLEDGE_DUTY, a_running_campaign(on(2011, 12, 1)))

    def made(day: date, phase: str) -> Record:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return Record(identity(9), "pledge.made", at, day, UNIT, MEMBER, phase=phase)

    def found(record: Record) -> list[str]:
        return [verdict.outcome for verdict in verdicts(PLEDGE_DUTY, (first, second), [record]).values()]

    assert found(made(first.closes_on, "phase1")) == ["met", "missed"]
    assert found(made(first.closes_on + timedelta(days=1), "phase1")) == ["met_late", "missed"]
    assert found(made(on(2011, 7, 5), "phase2")) == ["missed", "met"]
    assert found(made(on(2010, 7, 5), "")) == ["missed", "missed"]


def a_span(unit_id: str, first: date, behind: date | None = None) -> Span:
    return Span(unit_id, first, behind)


def test_whoever_is_there_through_the_whole_period_owes() -> None:
    """R-33"""
    there = a_span(UNIT, on(2010, 9, 1))
    assert unit_of([there], SEPTEMBER) == UNIT
    assert unit_of([a_span(UNIT, on(2010, 9, 2))], SEPTEMBER) is None
    assert unit_of([a_span(UNIT, on(2010, 1, 1), on(2010, 9, 30))], SEPTEMBER) is None
    assert unit_of([a_span(UNIT, on(2010, 1, 1), on(2010, 10, 1))], SEPTEMBER) == UNIT
    assert unit_of([], SEPTEMBER) is None


def test_whoever_moves_within_the_period_owes_in_the_unit_of_its_last_day() -> None:
    """R-06, C10"""
    moved = [a_span(UNIT, on(2010, 6, 1), on(2010, 9, 15)), a_span(OTHER_UNIT, on(2010, 9, 15))]
    assert unit_of(moved, SEPTEMBER) == OTHER_UNIT
    away = [moved[0], a_span(OTHER_UNIT, on(2010, 9, 16))]
    assert unit_of(away, SEPTEMBER) is None


SEPT = AssessObligations(campaign_id=CAMPAIGN, obligation="monthly_committee", starts_on=on(2010, 9, 1))
OVER = on(2010, 10, 6)
UNIT_OWNER, OTHER_OWNER = (Owner(kind="unit", id=unit_id) for unit_id in (UNIT, OTHER_UNIT))


def facts(*records: Record, today: date = OVER) -> RoundFacts:
    owing = [Owing(owner, (a_span(owner.id, on(2010, 6, 1)),)) for owner in (UNIT_OWNER, OTHER_OWNER)]
    return RoundFacts(
        occurred_at=datetime(2010, 10, 6, tzinfo=UTC),
        campaign=a_running_campaign(today),
        owing=owing,
        records={UNIT: records},
    )


def assessed(owner: Owner, outcome: str = "missed", met: Record | None = None) -> ObligationAssessed:
    return ObligationAssessed.model_validate(
        {
            "obligation_id": obligation_id(CAMPAIGN, "monthly_committee", owner, on(2010, 9, 1)),
            "campaign_id": CAMPAIGN,
            "obligation": "monthly_committee",
            "owner": owner,
            "unit_id": owner.id,
            "starts_on": on(2010, 9, 1),
            "ends_on": on(2010, 9, 30),
            "due_on": on(2010, 9, 30),
            "outcome": outcome,
            "met_on": None if met is None else met.day,
            "met_by": () if met is None else (met.event_id,),
        }
    )


HELD = a_meeting(2010, 9, 15)
MISSED = (assessed(UNIT_OWNER), assessed(OTHER_OWNER))
WAIVE = WaiveObligation(obligation_id=MISSED[1].obligation_id, reason="支委外出集中培训")
WAIVED = ObligationWaived(
    **MISSED[1].model_dump(exclude={"due_on", "outcome", "met_on", "met_by"}), reason="支委外出集中培训"
)


def test_everybody_who_owed_is_assessed_once_the_days_of_grace_are_over() -> None:
    """R-33"""
    given(obligation_round).knowing(facts(HELD)).when(SEPT).then(assessed(UNIT_OWNER, "met", HELD), MISSED[1])
    early = facts(HELD, today=on(2010, 10, 5))
    given(obligation_round).knowing(early).when(SEPT).refused("obligation.not_over", "starts_on")


def test_asked_again_only_what_a_late_entry_changed_is_said_anew() -> None:
    """R-33"""
    given(obligation_round, *MISSED).knowing(facts()).when(SEPT).then()
    identity_of = MISSED[0].obligation_id
    late = ObligationReassessed(obligation_id=identity_of, outcome="met", met_on=HELD.day, met_by=(HELD.event_id,))
    given(obligation_round, *MISSED).knowing(facts(HELD)).when(SEPT).then(late)
    given(obligation_round, *MISSED, late).knowing(facts(HELD)).when(SEPT).then()


def test_only_a_miss_of_a_duty_that_is_due_in_principle_is_waived_and_once() -> None:
    """R-33"""
    given(obligation_round, *MISSED).knowing(facts()).when(WAIVE).then(WAIVED)
    given(obligation_round, *MISSED, WAIVED).knowing(facts()).when(WAIVE).refused(
        "obligation.waived_already", "obligation_id"
    )
    given(obligation_round).knowing(facts()).when(WAIVE).refused("obligation.unknown", "obligation_id")
    met = assessed(OTHER_OWNER, "met", HELD)
    given(obligation_round, met).knowing(facts()).when(WAIVE).refused("obligation.not_missed", "obligation_id")
    hard = MISSED[1].model_copy(update={"obligation": "mobilisation"})
    given(obligation_round, hard).knowing(facts()).when(WAIVE).refused("obligation.not_soft", "obligation_id")


def test_what_is_waived_stays_waived() -> None:
    """R-33"""
    waive = WAIVE.model_copy(update={"obligation_id": MISSED[0].obligation_id})
    (waived,) = given(obligation_round, *MISSED).knowing(facts()).when(waive).decided()
    given(obligation_round, *MISSED, waived).knowing(facts(HELD)).when(SEPT).then()


@pytest.mark.parametrize(
    ("changes", "code", "at"),
    [
        ({"obligation": "tea"}, "programme.unknown_key", "obligation"),
        ({"obligation": "leader_visit"}, "obligation.not_assessable", "obligation"),
        ({"starts_on": on(2010, 9, 2)}, "obligation.no_such_period", "starts_on"),
        ({"starts_on": on(2010, 5, 1)}, "obligation.no_such_period", "starts_on"),
        ({"starts_on": on(2010, 11, 1)}, "obligation.no_such_period", "starts_on"),
    ],
)
def test_only_what_is_owed_is_assessed(changes: dict[str, object], code: str, at: str) -> None:
    given(obligation_round).knowing(facts()).when(SEPT.model_copy(update=changes)).refused(code, at)
