"""The scoring rules, every version as it was published (R-48)."""

from avow.contracts.scoring import ScoringRulesPublished
from avow.eventlog.records import Recorded
from avow.projections.projection import Projection, Row, day, document, exact, key, moment, number, on, table, text

scoring_rules = table(
    "scoring_rules",
    key("campaign_id"),
    key("subject"),
    key("version_key"),
    number("version"),
    document("label"),
    day("effective_from"),
    document("work_record"),
    document("recognition"),
    exact("work_record_floor"),
    exact("recognition_floor"),
    moment("published_at"),
    text("event_ref"),
    number("position"),
)


class PublishedRules(Projection):
    """Each version of each set of rules in a row."""

    name, version = "scoring_rules", 1
    tables = (scoring_rules,)

    @on(ScoringRulesPublished, row=scoring_rules.at("campaign_id", "subject", lambda event, _: str(event.version)))
    def published(self, event: ScoringRulesPublished, recorded: Recorded, row: Row) -> None:
        said = event.model_dump(mode="json")
        row.update(
            version=event.version,
            label=said["label"],
            effective_from=event.effective_from,
            work_record=said["work_record"],
            recognition=said["recognition"],
            work_record_floor=event.work_record_floor,
            recognition_floor=event.recognition_floor,
            published_at=recorded.occurred_at,
            event_ref=str(recorded.event_id),
            position=recorded.position,
        )
