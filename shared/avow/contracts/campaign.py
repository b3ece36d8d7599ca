"""The campaign: the programme an organisation runs (R-01, R-18)."""

from datetime import date

from pydantic import JsonValue

from avow.contracts.values import Identity, Key, Label
from avow.kernel.message import PublicEvent


class CampaignApproved(PublicEvent, type="campaign.approved"):
    """The committee approved a campaign; the whole programme template travels with it, so a replay reads no file."""

    campaign_id: Identity
    template: Key
    template_version: int
    title: Label
    starts_on: date
    ends_on: date | None
    programme: dict[str, JsonValue]
