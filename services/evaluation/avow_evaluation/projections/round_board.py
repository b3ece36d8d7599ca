"""The rounds: how far each has come, and of each part how many may review and how many have (R-41, R-42).

`submitted` is the count last reported; what single ballots say is in no view.
"""

from avow.contracts.review import (
    ElectorateFrozen,
    ReviewRoundAnnounced,
    ReviewRoundClosed,
    ReviewRoundOpened,
    ReviewSubmitted,
    ReviewTallied,
)
from avow.eventlog.records import Recorded
from avow.projections.projection import (
    KeyValue,
    Projection,
    Row,
    document,
    flag,
    key,
    moment,
    number,
    on,
    table,
    text,
)
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.review_round import CredentialsIssued, Status

rounds = table(
    "round_board",
    key("round_id"),
    number("position"),
    text("campaign_id"),
    document("title"),
    text("subject"),
    document("subjects"),
    text("unit_id"),
    flag("rehearsal"),
    document("form"),
    text("status"),
    moment("opens_at"),
    moment("closes_at"),
    moment("opened_at"),
    moment("closed_at"),
    text("closed_by"),
)
parts = table(
    "round_part",
    key("round_id"),
    key("unit_id"),
    key("rater_class"),
    number("eligible"),
    number("issued", 0),
    number("submitted", 0),
)
PART = parts.at("round_id", "unit_id", "rater_class")


def _parts(event: ElectorateFrozen, recorded: Recorded) -> list[KeyValue]:
    return [(event.round_id, part.unit_id, part.rater_class) for part in event.parts]


class RoundBoard(Projection):
    """Where each round stands; `closed_by` is the id of the event that closed it."""

    name, version = "round_board", 2
    tables = (rounds, parts)

    @on(ReviewRoundAnnounced, row=rounds.at("round_id"))
    def announced(self, event: ReviewRoundAnnounced, recorded: Recorded, row: Row) -> None:
        row.update(
            position=recorded.position,
            campaign_id=event.campaign_id,
            title=event.title.model_dump(),
            subject=event.subject,
            subjects=list(event.subjects),
            unit_id=event.unit_id,
            rehearsal=event.rehearsal,
            form=event.form.model_dump(mode="json"),
            status=Status.ANNOUNCED.value,
            opens_at=event.opens_at,
            closes_at=event.closes_at,
        )

    @on(ElectorateFrozen, row=rounds.at("round_id"), rows=parts.each(_parts))
    def frozen(self, event: ElectorateFrozen, recorded: Recorded, row: Row, rows: list[Row]) -> None:
        row["status"] = Status.FROZEN.value
        for part, of_part in zip(event.parts, rows, strict=True):
            of_part["eligible"] = part.eligible

    @on(CredentialsIssued, row=PART)
    def issued(self, event: CredentialsIssued, recorded: Recorded, row: Row) -> None:
        row["issued"] = len(event.hashes)

    @on(ReviewRoundOpened, row=rounds.at("round_id"))
    def opened(self, event: ReviewRoundOpened, recorded: Recorded, row: Row) -> None:
        row.update(status=Status.OPEN.value, opened_at=recorded.occurred_at)

    @on(ReviewSubmitted, row=PART)
    def submitted(self, event: ReviewSubmitted, recorded: Recorded, row: Row) -> None:
        row["submitted"] = event.count

    @on(ReviewRoundClosed, row=rounds.at("round_id"))
    def closed(self, event: ReviewRoundClosed, recorded: Recorded, row: Row) -> None:
        row.update(status=Status.CLOSED.value, closed_at=recorded.occurred_at, closed_by=str(recorded.event_id))

    @on(ReviewTallied, row=rounds.at("round_id"))
    def tallied(self, event: ReviewTallied, recorded: Recorded, row: Row) -> None:
        row["status"] = Status.TALLIED.value

    @on(MemberReviewTallied, fields=("round_id",), row=rounds.at("round_id"))
    def members_tallied(self, event: MemberReviewTallied, recorded: Recorded, row: Row) -> None:
        row["status"] = Status.TALLIED.value
