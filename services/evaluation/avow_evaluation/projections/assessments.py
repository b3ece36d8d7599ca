"""The assessments as they stand: the last revision of each, and the event it stands in (R-49)."""

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
from avow_evaluation.domain.assessment import AssessmentCalculated, AssessmentDropped

assessments = table(
    "assessment",
    key("assessment_id"),
    text("campaign_id"),
    text("phase"),
    text("subject"),
    text("subject_id"),
    text("unit_id"),
    text("category"),
    text("standing"),
    number("revision"),
    number("rules_version"),
    exact("work_record"),
    exact("recognition"),
    exact("total"),
    document("parts"),
    document("classes"),
    document("missing"),
    document("below_floor"),
    document("alternatives"),
    number("evidence_position"),
    flag("dropped"),
    moment("calculated_at"),
    text("event_ref"),
    number("position"),
    index("campaign_id", "phase", "category", "total"),
    index("position"),
)


class Assessments(Projection):
    """Each assessment in a row."""

    name, version = "assessments", 1
    tables = (assessments,)

    @on(AssessmentCalculated, row=assessments.at("assessment_id"))
    def calculated(self, event: AssessmentCalculated, recorded: Recorded, row: Row) -> None:
        said = event.model_dump(mode="json", exclude={"parts": {"__all__": {"evidence"}}})
        row.update(
            campaign_id=event.campaign_id,
            phase=event.phase,
            subject=event.subject,
            subject_id=event.subject_id,
            unit_id=event.unit_id,
            category=event.category,
            standing=event.standing,
            revision=event.revision,
            rules_version=event.rules_version,
            work_record=event.work_record,
            recognition=event.recognition and event.recognition.score,
            total=event.total,
            parts=said["parts"],
            classes=said["recognition"] and said["recognition"]["classes"],
            missing=said["missing"],
            below_floor=said["below_floor"],
            alternatives=said["alternatives"],
            evidence_position=event.evidence_position,
            dropped=False,
            calculated_at=recorded.occurred_at,
            event_ref=str(recorded.event_id),
            position=recorded.position,
        )

    @on(AssessmentDropped, row=assessments.at("assessment_id"))
    def dropped(self, event: AssessmentDropped, recorded: Recorded, row: Row) -> None:
        row["dropped"] = True
