"""The obligations that were assessed, and the records that can meet one (R-33, R-34, R-40).

Promises: one row an obligation, owner and period, with what was last said of it; one row a record, found by its
campaign. What is due and not assessed is for whoever reads to say.
"""

from avow.contracts.meeting import CommentRecorded, MeetingHeld
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived
from avow.contracts.pledge import PledgeMade
from avow.contracts.work_plan import WorkPlanAdopted
from avow.eventlog.records import Recorded
from avow.kernel.seal import Seal
from avow.projections.projection import (
    Projection,
    Row,
    day,
    document,
    flag,
    key,
    moment,
    number,
    on,
    sealed,
    table,
    text,
)

calendar = table(
    "obligation_calendar",
    key("obligation_id"),
    text("round_id"),
    text("campaign_id"),
    text("obligation"),
    text("owner_kind"),
    text("owner_id"),
    text("unit_id"),
    day("starts_on"),
    day("ends_on"),
    day("due_on"),
    text("outcome"),
    day("met_on"),
    document("met_by"),
    moment("assessed_at"),
    flag("waived"),
    moment("waived_at"),
    sealed("sealed_reason"),
    text("reason"),
    number("position"),
)
evidence = table(
    "obligation_evidence",
    key("event_id"),
    text("campaign_id"),
    text("type"),
    moment("at"),
    text("unit_id"),
    text("member_id"),
    text("meeting_id"),
    text("kind"),
    document("agenda"),
    text("phase"),
)
meetings = table("obligation_meeting", key("meeting_id"), text("kind"), document("agenda"))


def _record_id(event: object, recorded: Recorded) -> str:
    return str(recorded.event_id)


class ObligationCalendar(Projection):
    """Who owed what when, what came of it, and by which records."""

    name, version = "obligation_calendar", 1
    tables = (calendar, evidence, meetings)

    @on(MeetingHeld, row=evidence.at(_record_id), meeting=meetings.at("meeting_id"))
    def held(self, event: MeetingHeld, recorded: Recorded, row: Row, meeting: Row) -> None:
        meeting.update(kind=event.kind, agenda=list(event.agenda))
        row.update(
            campaign_id=event.campaign_id,
            type=event.type,
            at=recorded.occurred_at,
            unit_id=event.unit_id,
            meeting_id=event.meeting_id,
            kind=event.kind,
            agenda=list(event.agenda),
        )

    @on(CommentRecorded, row=evidence.at(_record_id), meeting=meetings.at("meeting_id"))
    def commented(self, event: CommentRecorded, recorded: Recorded, row: Row, meeting: Row) -> None:
        row.update(
            campaign_id=event.campaign_id,
            type=event.type,
            at=recorded.occurred_at,
            unit_id=event.unit_id,
            member_id=event.person_id,
            meeting_id=event.meeting_id,
            kind=meeting["kind"],
            agenda=meeting["agenda"] or [],
        )

    @on(PledgeMade, row=evidence.at(_record_id))
    def pledged(self, event: PledgeMade, recorded: Recorded, row: Row) -> None:
        row.update(
            campaign_id=event.campaign_id,
            type=event.type,
            at=recorded.occurred_at,
            unit_id=event.unit_id,
            member_id=event.pledger.id if event.pledger.kind == "member" else None,
            agenda=[],
            phase=event.phase or "",
        )

    @on(WorkPlanAdopted, row=evidence.at(_record_id))
    def planned(self, event: WorkPlanAdopted, recorded: Recorded, row: Row) -> None:
        row.update(
            campaign_id=event.campaign_id,
            type=event.type,
            at=recorded.occurred_at,
            unit_id=event.unit_id,
            agenda=[],
            phase=event.phase,
        )

    @on(ObligationAssessed, row=calendar.at("obligation_id"))
    def assessed(self, event: ObligationAssessed, recorded: Recorded, row: Row) -> None:
        row.update(
            round_id=recorded.identity,
            campaign_id=event.campaign_id,
            obligation=event.obligation,
            owner_kind=event.owner.kind,
            owner_id=event.owner.id,
            unit_id=event.unit_id,
            starts_on=event.starts_on,
            ends_on=event.ends_on,
            due_on=event.due_on,
            outcome=event.outcome,
            met_on=event.met_on,
            met_by=list(event.met_by),
            assessed_at=recorded.occurred_at,
            position=recorded.position,
        )

    @on(ObligationReassessed, row=calendar.at("obligation_id"))
    def reassessed(self, event: ObligationReassessed, recorded: Recorded, row: Row) -> None:
        row.update(
            outcome=event.outcome,
            met_on=event.met_on,
            met_by=list(event.met_by),
            assessed_at=recorded.occurred_at,
        )

    @on(ObligationWaived, row=calendar.at("obligation_id"))
    def let_go(self, event: ObligationWaived, recorded: Recorded, row: Row) -> None:
        row.update(waived=True, waived_at=recorded.occurred_at)
        row["sealed_reason" if isinstance(event.reason, Seal) else "reason"] = event.reason
