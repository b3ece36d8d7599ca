"""The evidence scores are calculated from: every duty, pledge item, comment and result, with the events that say so.

Promises: a row holds what is known of one thing, never a sum, and the ids of its events in the order they came. A
rehearsal leaves no row (R-47, R-49). For decisions; what it shows of persons is their identity alone.
"""

from avow.contracts.meeting import CommentRecorded
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived
from avow.contracts.organisation import UnitMerged
from avow.contracts.pledge import PledgeItemVerified, PledgeMade, PledgeWithdrawn
from avow.contracts.review import ReviewRoundAnnounced, ReviewTallied
from avow.eventlog.records import Recorded
from avow.projections.projection import (
    KeyValue,
    Projection,
    Row,
    day,
    document,
    exact,
    flag,
    key,
    moment,
    number,
    on,
    table,
    text,
)
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.spread import ReviewSpread

duties = table(
    "evidence_duty",
    key("obligation_id"),
    text("campaign_id"),
    text("obligation"),
    text("owner_kind"),
    text("owner_id"),
    text("unit_id"),
    day("ends_on"),
    text("outcome"),
    flag("waived"),
    document("events"),
    number("position"),
)
items = table(
    "evidence_item",
    key("pledge_id"),
    key("item"),
    text("campaign_id"),
    text("phase"),
    text("pledger_kind"),
    text("pledger_id"),
    day("due_on"),
    flag("verified"),
    flag("excused"),
    document("events"),
    number("position"),
)
comments = table(
    "evidence_comment",
    key("event_ref"),
    text("campaign_id"),
    text("unit_id"),
    text("person_id"),
    number("grade"),
    moment("commented_at"),
    number("position"),
)
rounds = table("evidence_round", key("round_id"), exact("z"), flag("rehearsal"))
results = table(
    "evidence_result",
    key("round_id"),
    key("subject_id"),
    text("campaign_id"),
    text("subject"),
    text("validity"),
    document("classes"),
    document("spread"),
    exact("z"),
    moment("tallied_at"),
    text("event_ref"),
    text("spread_ref"),
    number("position"),
)
mergers = table("evidence_merger", key("unit_id"), text("into_unit_id"), moment("since"))


def _made(event: PledgeMade, recorded: Recorded) -> list[KeyValue]:
    return [(event.pledge_id, str(n)) for n in range(len(event.items))]


def _withdrawn(event: PledgeWithdrawn, recorded: Recorded) -> list[KeyValue]:
    return [(event.pledge_id, str(n)) for n in event.items]


class Evidence(Projection):
    """What is known of each thing that counts in a score."""

    name, version = "evidence", 1
    tables = (duties, items, comments, rounds, results, mergers)

    @on(ObligationAssessed, row=duties.at("obligation_id"))
    def assessed(self, event: ObligationAssessed, recorded: Recorded, row: Row) -> None:
        _owe(row, event)
        row["outcome"] = event.outcome
        _said(row, recorded)

    @on(ObligationReassessed, row=duties.at("obligation_id"))
    def reassessed(self, event: ObligationReassessed, recorded: Recorded, row: Row) -> None:
        row["outcome"] = event.outcome
        _said(row, recorded)

    @on(ObligationWaived, row=duties.at("obligation_id"))
    def waived(self, event: ObligationWaived, recorded: Recorded, row: Row) -> None:
        _owe(row, event)
        row["waived"] = True
        _said(row, recorded)

    @on(PledgeMade, rows=items.each(_made))
    def made(self, event: PledgeMade, recorded: Recorded, rows: list[Row]) -> None:
        for item, row in zip(event.items, rows, strict=True):
            row.update(
                campaign_id=event.campaign_id,
                phase=event.phase,
                pledger_kind=event.pledger.kind,
                pledger_id=event.pledger.id,
                due_on=max(item.milestones, default=None),
            )
            _said(row, recorded)

    @on(PledgeItemVerified, row=items.at("pledge_id", lambda event, _: str(event.item)))
    def verified(self, event: PledgeItemVerified, recorded: Recorded, row: Row) -> None:
        row["verified"] = True
        _said(row, recorded)

    @on(PledgeWithdrawn, fields=("pledge_id", "items", "excused"), rows=items.each(_withdrawn))
    def withdrawn(self, event: PledgeWithdrawn, recorded: Recorded, rows: list[Row]) -> None:
        for row in rows:
            row["excused"] = event.excused
            _said(row, recorded)

    @on(CommentRecorded, row=comments.at(lambda _, recorded: str(recorded.event_id)))
    def commented(self, event: CommentRecorded, recorded: Recorded, row: Row) -> None:
        row.update(
            campaign_id=event.campaign_id,
            unit_id=event.unit_id,
            person_id=event.person_id,
            grade=event.grade,
            commented_at=recorded.occurred_at,
            position=recorded.position,
        )

    @on(ReviewRoundAnnounced, row=rounds.at("round_id"))
    def announced(self, event: ReviewRoundAnnounced, recorded: Recorded, row: Row) -> None:
        row.update(z=event.form.z, rehearsal=event.rehearsal)

    @on(ReviewTallied, row=results.at("round_id", "unit_id"), round=rounds.at("round_id"))
    def tallied(self, event: ReviewTallied, recorded: Recorded, row: Row, round: Row) -> None:
        if not round["rehearsal"]:
            _result(row, event, recorded, round)
            row["subject"] = "unit"

    @on(ReviewSpread, row=results.at("round_id", "unit_id"))
    def spread(self, event: ReviewSpread, recorded: Recorded, row: Row) -> None:
        row.update(spread=[spread.model_dump() for spread in event.classes], spread_ref=str(recorded.event_id))

    @on(MemberReviewTallied, row=results.at("round_id", "person_id"), round=rounds.at("round_id"))
    def member_tallied(self, event: MemberReviewTallied, recorded: Recorded, row: Row, round: Row) -> None:
        if not round["rehearsal"]:
            _result(row, event, recorded, round)
            row.update(subject="member", spread=[spread.model_dump() for spread in event.spread])

    @on(UnitMerged, row=mergers.at("unit_id"))
    def merged(self, event: UnitMerged, recorded: Recorded, row: Row) -> None:
        row.update(into_unit_id=event.into_unit_id, since=event.since)


def _owe(row: Row, event: ObligationAssessed | ObligationWaived) -> None:
    row.update(
        campaign_id=event.campaign_id,
        obligation=event.obligation,
        owner_kind=event.owner.kind,
        owner_id=event.owner.id,
        unit_id=event.unit_id,
        ends_on=event.ends_on,
    )


def _said(row: Row, recorded: Recorded) -> None:
    """Note the event; what a row held before stays noted."""
    row["events"] = [*(row["events"] or ()), str(recorded.event_id)]
    row["position"] = row["position"] or recorded.position


def _result(row: Row, event: ReviewTallied | MemberReviewTallied, recorded: Recorded, round: Row) -> None:
    row.update(
        campaign_id=event.campaign_id,
        validity=event.validity,
        classes=[tally.model_dump(mode="json") for tally in event.classes],
        z=round["z"],
        tallied_at=recorded.occurred_at,
        event_ref=str(recorded.event_id),
        position=recorded.position,
    )
