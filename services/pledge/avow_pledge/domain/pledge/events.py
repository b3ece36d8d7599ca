"""What happens to a pledge inside the service; what is public is in `avow.contracts.pledge`."""

from typing import Annotated

from avow.contracts.campaign import Digest
from avow.contracts.pledge import PledgeItem, PledgeItemVerified, PledgeMade, Pledger, PledgeWithdrawn, Wording
from avow.contracts.values import Exact, Identity, Key
from avow.kernel.message import PrivateEvent, Prose
from avow.kernel.seal import Seal, SealedUnder


class PledgeDrafted(PrivateEvent, type="pledge.drafted"):
    """`missing` names what the sealed wording lacks, so that nobody has to open it to know."""

    pledge_id: Identity
    campaign_id: Identity
    unit_id: Identity
    pledger: Pledger
    phase: Key | None
    scope: Key
    items: tuple[PledgeItem, ...]
    missing: tuple[str, ...]
    wording: Wording


class PledgeSubmitted(PrivateEvent, type="pledge.submitted"):
    pledge_id: Identity


class PledgeApproved(PrivateEvent, type="pledge.approved"):
    pledge_id: Identity


class PledgeReturned(PrivateEvent, type="pledge.returned"):
    """The reason is sealed for the unit: it may speak of people."""

    pledge_id: Identity
    unit_id: Identity
    reason: Annotated[Prose | Seal, SealedUnder("unit/{unit_id}")]


class PledgePlaceTaken(PrivateEvent, type="pledge.place_taken"):
    """The one place a pledger has in a phase of a campaign went to a pledge (R-28); it stands in the place's stream."""

    place_id: Identity
    pledge_id: Identity


class PledgeProgressReported(PrivateEvent, type="pledge.progress_reported"):
    """How far an item has come; the note is meant for those the pledge is."""

    pledge_id: Identity
    unit_id: Identity
    item: int
    quantity: int | None
    value: Exact | None
    percent: int | None
    fulfilled: bool
    evidence_sha256: Digest | None
    scope: Key
    note: Annotated[Prose | Seal, SealedUnder("scope/{scope}/{unit_id}")]


PledgeEvent = (
    PledgeDrafted
    | PledgeSubmitted
    | PledgeApproved
    | PledgeReturned
    | PledgeMade
    | PledgePlaceTaken
    | PledgeProgressReported
    | PledgeItemVerified
    | PledgeWithdrawn
)
