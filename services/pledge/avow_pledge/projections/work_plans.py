"""The work plans of the units, as they were last written, and how far each has come (R-24).

Promises: one row a unit and phase; wording that is not for everybody stays sealed.
"""

from avow.contracts.work_plan import WorkPlanAdopted
from avow.eventlog.records import Recorded
from avow.kernel.seal import Seal
from avow.projections.projection import Projection, Row, document, key, moment, number, on, sealed, table, text
from avow_pledge.domain.work_plan import WorkPlanDrafted, WorkPlanReturned, WorkPlanRevised

plans = table(
    "work_plan",
    key("plan_id"),
    text("campaign_id"),
    text("unit_id"),
    text("phase"),
    text("status"),
    number("revision"),
    text("service_audience"),
    document("items"),
    text("scope"),
    document("wording"),
    sealed("sealed_wording"),
    moment("drafted_at"),
    moment("adopted_at"),
    number("adopted_revision"),
    sealed("reason"),
    number("position"),
)


class WorkPlans(Projection):
    """What each unit means to do in each phase."""

    name, version = "work_plans", 1
    tables = (plans,)

    @on(WorkPlanDrafted, row=plans.at("plan_id"))
    def drafted(self, event: WorkPlanDrafted, recorded: Recorded, row: Row) -> None:
        row.update(
            campaign_id=event.campaign_id,
            unit_id=event.unit_id,
            phase=event.phase,
            status="drafted",
            revision=event.revision,
            service_audience=event.service_audience,
            items=[item.model_dump(mode="json") for item in event.items],
            scope=event.scope,
            wording=None,
            sealed_wording=None,
            drafted_at=recorded.occurred_at,
            # A plan keeps its place in the list, however often it is written.
            position=row["position"] or recorded.position,
        )
        if isinstance(event.wording, Seal):
            row["sealed_wording"] = event.wording
        else:
            row["wording"] = [words.model_dump(mode="json") for words in event.wording]

    @on(WorkPlanReturned, row=plans.at("plan_id"))
    def returned(self, event: WorkPlanReturned, recorded: Recorded, row: Row) -> None:
        row.update(status="returned", reason=event.reason)

    @on(WorkPlanRevised, row=plans.at("plan_id"))
    def revised(self, event: WorkPlanRevised, recorded: Recorded, row: Row) -> None:
        row["reason"] = event.reason

    @on(WorkPlanAdopted, row=plans.at("plan_id"))
    def adopted(self, event: WorkPlanAdopted, recorded: Recorded, row: Row) -> None:
        row.update(status="adopted", adopted_at=recorded.occurred_at, adopted_revision=event.revision)
