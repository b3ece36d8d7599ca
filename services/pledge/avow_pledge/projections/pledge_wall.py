"""The pledges that were made, each as its scope may see it (R-29).

Promises: one row a pledge, never altered once it is there; `wording` holds what everybody may read, any other wording
stays sealed.
"""

from avow.contracts.pledge import PledgeMade
from avow.eventlog.records import Recorded
from avow.kernel.seal import Seal
from avow.projections.projection import Projection, Row, day, document, key, moment, number, on, sealed, table, text

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
    document("wording"),
    sealed("sealed_wording"),
    day("first_milestone"),
    day("last_milestone"),
    number("position"),
)


class PledgeWall(Projection):
    """Who promised what, to whom, and until when."""

    name, version = "pledge_wall", 1
    tables = (wall,)

    @on(PledgeMade, row=wall.at("pledge_id"))
    def made(self, event: PledgeMade, recorded: Recorded, row: Row) -> None:
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
            first_milestone=min(milestones, default=None),
            last_milestone=max(milestones, default=None),
            position=recorded.position,
        )
        if isinstance(event.wording, Seal):
            row["sealed_wording"] = event.wording
        else:
            row["wording"] = [words.model_dump(mode="json") for words in event.wording]
