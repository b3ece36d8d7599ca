"""The pledges that were made, each as its scope may see it, with how its items stand (R-29, R-31).

Promises: one row a pledge; `items` and `wording` are never altered once they are there, `standing` is what came of
each item. Wording holds what everybody may read, any other wording stays sealed. An item is due on its last milestone,
or on the last day of its phase where it has none; whether it is overdue is for whoever reads to say.
"""

from datetime import date
from typing import Any

from avow.contracts.campaign import CampaignApproved
from avow.contracts.moment import to_text
from avow.contracts.pledge import PledgeItem, PledgeItemVerified, PledgeMade, PledgeWithdrawn
from avow.eventlog.records import Recorded
from avow.kernel.seal import Seal
from avow.projections.projection import (
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
    sealed,
    table,
    text,
)
from avow_pledge.domain.pledge import PledgeProgressReported

wall = table(
    "pledge_wall",
    key("pledge_id"),
    text("campaign_id"),
    text("unit_id"),
    text("pledger_kind"),
    text("pledger_id"),
    text("phase"),
    text("scope"),
    text("channel"),
    moment("made_at"),
    document("items"),
    document("standing"),
    text("time_zone"),
    document("wording"),
    sealed("sealed_wording"),
    day("first_milestone"),
    day("last_milestone"),
    number("verified", 0),
    number("withdrawn", 0),
    number("position"),
)
progress = table(
    "pledge_progress",
    key("report_id"),
    text("pledge_id"),
    text("unit_id"),
    number("item"),
    number("quantity"),
    exact("value"),
    number("percent"),
    flag("fulfilled"),
    text("evidence_sha256"),
    text("scope"),
    moment("reported_at"),
    text("note"),
    sealed("sealed_note"),
    number("position"),
)
calendars = table("pledge_wall_calendar", key("campaign_id"), text("time_zone"), document("phase_ends"), day("ends_on"))


def _report_id(event: PledgeProgressReported, recorded: Recorded) -> str:
    return str(recorded.event_id)


class PledgeWall(Projection):
    """Who promised what, to whom, until when, and what came of it."""

    name, version = "pledge_wall", 2
    tables = (wall, progress, calendars)

    @on(CampaignApproved, row=calendars.at("campaign_id"))
    def approved(self, event: CampaignApproved, recorded: Recorded, row: Row) -> None:
        phases: Any = event.programme.get("phases", [])
        row.update(
            time_zone=event.programme.get("time_zone", "UTC"),
            phase_ends={phase["key"]: phase["ends_on"] for phase in phases},
            ends_on=event.ends_on,
        )

    @on(PledgeMade, row=wall.at("pledge_id"), calendar=calendars.at("campaign_id"))
    def made(self, event: PledgeMade, recorded: Recorded, row: Row, calendar: Row) -> None:
        milestones = [milestone for item in event.items for milestone in item.milestones]
        row.update(
            campaign_id=event.campaign_id,
            unit_id=event.unit_id,
            pledger_kind=event.pledger.kind,
            pledger_id=event.pledger.id,
            phase=event.phase,
            scope=event.scope,
            channel=event.channel,
            made_at=recorded.occurred_at,
            items=[item.model_dump(mode="json") for item in event.items],
            standing=[_standing(item, event.phase, calendar) for item in event.items],
            time_zone=calendar["time_zone"],
            first_milestone=min(milestones, default=None),
            last_milestone=max(milestones, default=None),
            position=recorded.position,
        )
        if isinstance(event.wording, Seal):
            row["sealed_wording"] = event.wording
        else:
            row["wording"] = [words.model_dump(mode="json") for words in event.wording]

    @on(
        PledgeProgressReported,
        pledge=wall.at("pledge_id"),
        row=progress.at(lambda event, recorded: str(recorded.event_id)),
    )
    def reported(self, event: PledgeProgressReported, recorded: Recorded, pledge: Row, row: Row) -> None:
        row.update(
            **event.model_dump(exclude={"note", "value"}),
            value=event.value,
            reported_at=recorded.occurred_at,
            position=recorded.position,
        )
        row["sealed_note" if isinstance(event.note, Seal) else "note"] = event.note
        if event.fulfilled:
            _mark(pledge, event.item, state="declared")

    @on(PledgeItemVerified, row=wall.at("pledge_id"))
    def found_fulfilled(self, event: PledgeItemVerified, recorded: Recorded, row: Row) -> None:
        row["verified"] += 1
        _mark(row, event.item, state="verified", settled_at=to_text(recorded.occurred_at))

    @on(PledgeWithdrawn, row=wall.at("pledge_id"))
    def given_up(self, event: PledgeWithdrawn, recorded: Recorded, row: Row) -> None:
        row["withdrawn"] += len(event.items)
        for item in event.items:
            settled_at = to_text(recorded.occurred_at)
            _mark(row, item, state="withdrawn", excused=event.excused, settled_at=settled_at)


def _standing(item: PledgeItem, phase: str | None, calendar: Row) -> dict[str, Any]:
    ends: date | str | None = (calendar["phase_ends"] or {}).get(phase, calendar["ends_on"])
    due_on = max(item.milestones, default=ends)
    return {"due_on": None if due_on is None else str(due_on), "state": "open", "excused": None, "settled_at": None}


def _mark(row: Row, item: int, **changes: Any) -> None:
    standing = row["standing"]
    standing[item] |= changes
    row["standing"] = standing
