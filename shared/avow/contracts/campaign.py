"""The campaign: the programme an organisation runs (R-01, R-18)."""

from datetime import date
from typing import Annotated

from pydantic import JsonValue, StringConstraints

from avow.contracts.values import Identity, Key, Label
from avow.kernel.message import PublicEvent

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""


class CampaignApproved(PublicEvent, type="campaign.approved"):
    """The committee approved a campaign; the whole programme template travels with it, so a replay reads no file.

    `document_text_sha256` is of the programme document's text, in UTF-8, where there is one.
    """

    campaign_id: Identity
    template: Key
    template_version: int
    title: Label
    starts_on: date
    ends_on: date | None
    document_text_sha256: Digest | None
    programme: dict[str, JsonValue]
