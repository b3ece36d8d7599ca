"""The candidates for commendation: the last ranking of each batch, award and category, place by place (R-51).

A place that a later ranking does not have stays in the table with the revision it belongs to; only those of the last
revision are shown. Where categories are not ranked apart, the category is empty.
"""

from avow.eventlog.records import Recorded
from avow.projections.projection import (
    KeyValue,
    Projection,
    Row,
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
from avow_evaluation.domain.ranking import CandidatesRanked

candidates = table(
    "commendation_candidates",
    key("campaign_id"),
    key("phase"),
    key("award"),
    key("category"),
    key("subject_id"),
    number("revision"),
    number("place"),
    number("rank"),
    text("reason"),
    text("subject"),
    text("unit_id"),
    exact("total"),
    exact("recognition"),
    exact("fulfilment"),
    flag("frontline"),
    number("best_rank"),
    number("worst_rank"),
    text("assessment_id"),
    text("assessment_event"),
    text("event_ref"),
    number("position"),
    index("campaign_id", "phase", "award", "category", "place"),
)
rankings = table(
    "commendation_ranking",
    key("campaign_id"),
    key("phase"),
    key("award"),
    key("category"),
    number("revision"),
    moment("ranked_at"),
)


def _category(event: CandidatesRanked, recorded: Recorded) -> str:
    return event.category or ""


def _places(event: CandidatesRanked, recorded: Recorded) -> list[KeyValue]:
    batch = event.campaign_id, event.phase, event.award, event.category or ""
    return [(*batch, place.subject_id) for place in event.places]


class CommendationCandidates(Projection):
    """Each candidate's place in a row; `place` counts them all, from 1, in the order of the ranking."""

    name, version = "commendation_candidates", 1
    tables = (candidates, rankings)

    @on(
        CandidatesRanked,
        rows=candidates.each(_places),
        ranking=rankings.at("campaign_id", "phase", "award", _category),
    )
    def ranked(self, event: CandidatesRanked, recorded: Recorded, rows: list[Row], ranking: Row) -> None:
        ranking.update(revision=event.revision, ranked_at=recorded.occurred_at)
        for n, (place, row) in enumerate(zip(event.places, rows, strict=True), start=1):
            row.update(
                revision=event.revision,
                place=n,
                rank=place.rank,
                reason=place.reason,
                subject=event.subject,
                unit_id=place.unit_id,
                total=place.total,
                recognition=place.recognition,
                fulfilment=place.fulfilment,
                frontline=place.frontline,
                best_rank=place.best_rank,
                worst_rank=place.worst_rank,
                assessment_id=place.assessment_id,
                assessment_event=place.assessment_event,
                event_ref=str(recorded.event_id),
                position=recorded.position,
            )
