"""The dedicated ledger: one row for each subject and round, with the result and what stood behind it that day (R-46).

Promises: a row is written once, by the tally, and says which event that was; the pledges, meetings and comments counted
are those known here by then: a unit's with its members' pledges, a member's own with the unit's meetings. No row holds
a name, only whose it is. What a result withholds is null here too, and a rehearsal has no row.
"""

from collections import Counter
from typing import Any

from avow.contracts.meeting import CommentRecorded, MeetingHeld
from avow.contracts.organisation import UnitRegistered
from avow.contracts.pledge import PledgeMade
from avow.contracts.review import ReviewRoundAnnounced, ReviewTallied
from avow.eventlog.records import Recorded
from avow.projections.projection import (
    Projection,
    Row,
    document,
    exact,
    flag,
    index,
    key,
    moment,
    number,
    on,
    table,
    text,
)
from avow_evaluation.domain.member_review import MemberReviewTallied

ledger = table(
    "dedicated_ledger",
    key("round_id"),
    key("subject_id"),
    text("subject"),
    text("unit_id"),
    text("person_id"),
    number("seq"),
    text("unit"),
    text("category"),
    text("campaign_id"),
    document("round"),
    moment("opens_at"),
    moment("closes_at"),
    number("eligible"),
    number("cast"),
    exact("turnout"),
    text("validity"),
    document("by_class"),
    document("grade_counts"),
    number("abstained"),
    exact("good_rate"),
    exact("recognition"),
    document("criteria"),
    number("pledges_made"),
    number("meetings_held"),
    number("comments"),
    moment("tallied_at"),
    text("event_ref"),
    number("position"),
    index("category", "recognition"),
    index("position"),
)
units = table("ledger_unit", key("unit_id"), text("name"), text("category"))
rounds = table(
    "ledger_round",
    key("round_id"),
    document("title"),
    document("subjects"),
    moment("opens_at"),
    moment("closes_at"),
    flag("rehearsal"),
)
evidence = table(
    "ledger_evidence",
    key("campaign_id"),
    key("subject_id"),
    number("pledges_made", 0),
    number("meetings_held", 0),
    number("comments", 0),
)
OF_UNIT = evidence.at("campaign_id", "unit_id")


class DedicatedLedger(Projection):
    """Each result in its row, beside what the unit had done by then."""

    name, version = "dedicated_ledger", 2
    tables = (ledger, units, rounds, evidence)

    @on(UnitRegistered, row=units.at("unit_id"))
    def unit_registered(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
        row.update(name=event.name, category=event.category)

    @on(PledgeMade, row=OF_UNIT, own=evidence.at("campaign_id", lambda event, _: event.pledger.id))
    def pledge_made(self, event: PledgeMade, recorded: Recorded, row: Row, own: Row) -> None:
        row["pledges_made"] += 1
        if event.pledger.kind == "member":
            own["pledges_made"] += 1

    @on(MeetingHeld, row=OF_UNIT)
    def meeting_held(self, event: MeetingHeld, recorded: Recorded, row: Row) -> None:
        row["meetings_held"] += 1

    @on(CommentRecorded, row=evidence.at("campaign_id", lambda event, _: event.person_id or event.unit_id))
    def comment_recorded(self, event: CommentRecorded, recorded: Recorded, row: Row) -> None:
        row["comments"] += 1

    @on(ReviewRoundAnnounced, row=rounds.at("round_id"))
    def announced(self, event: ReviewRoundAnnounced, recorded: Recorded, row: Row) -> None:
        row.update(
            title=event.title.model_dump(),
            subjects=list(event.subjects),
            opens_at=event.opens_at,
            closes_at=event.closes_at,
            rehearsal=event.rehearsal,
        )

    @on(
        ReviewTallied,
        row=ledger.at("round_id", "unit_id"),
        unit=units.at("unit_id"),
        round=rounds.at("round_id"),
        evidence=OF_UNIT,
    )
    def tallied(self, event: ReviewTallied, recorded: Recorded, row: Row, unit: Row, round: Row, evidence: Row) -> None:
        if round["rehearsal"]:
            return
        _write(row, event, recorded, unit, round, event.unit_id)
        row.update(
            subject="unit",
            grade_counts=_grade_counts(event),
            abstained=sum(tally.abstained for tally in event.rows) if event.rows else None,
            criteria=[tally.model_dump(mode="json") for tally in event.rows] if event.rows else None,
            pledges_made=evidence["pledges_made"],
            meetings_held=evidence["meetings_held"],
            comments=evidence["comments"],
        )

    @on(
        MemberReviewTallied,
        row=ledger.at("round_id", "person_id"),
        unit=units.at("unit_id"),
        round=rounds.at("round_id"),
        evidence=OF_UNIT,
        own=evidence.at("campaign_id", "person_id"),
    )
    def member_tallied(
        self,
        event: MemberReviewTallied,
        recorded: Recorded,
        row: Row,
        unit: Row,
        round: Row,
        evidence: Row,
        own: Row,
    ) -> None:
        if round["rehearsal"]:
            return
        _write(row, event, recorded, unit, round, event.person_id)
        row.update(
            subject="member",
            person_id=event.person_id,
            grade_counts=event.grades or None,
            abstained=event.abstained,
            pledges_made=own["pledges_made"],
            meetings_held=evidence["meetings_held"],
            comments=own["comments"],
        )


def _write(
    row: Row, event: ReviewTallied | MemberReviewTallied, recorded: Recorded, unit: Row, round: Row, subject_id: str
) -> None:
    """What the rows of units and of members have in common."""
    row.update(
        unit_id=event.unit_id,
        seq=round["subjects"].index(subject_id) + 1,
        unit=unit["name"],
        category=unit["category"],
        campaign_id=event.campaign_id,
        round=round["title"],
        opens_at=round["opens_at"],
        closes_at=round["closes_at"],
        eligible=event.eligible,
        cast=event.cast,
        turnout=event.turnout,
        validity=event.validity,
        by_class=[tally.model_dump(mode="json") for tally in event.classes],
        good_rate=event.good_rate,
        recognition=event.recognition,
        tallied_at=recorded.occurred_at,
        event_ref=str(recorded.event_id),
        position=recorded.position,
    )


def _grade_counts(event: ReviewTallied) -> dict[str, Any] | None:
    counts: Counter[str] = Counter()
    for tally in event.rows:
        counts.update(tally.grades)
    return dict(counts) if event.rows else None
