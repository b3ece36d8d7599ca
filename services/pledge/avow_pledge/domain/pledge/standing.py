"""How a pledge stands, and what its decisions may know."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from uuid import NAMESPACE_URL, uuid5

from avow.contracts.pledge import Pledger
from avow.kernel.decider import Facts
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.pledge.events import PledgeDrafted

_PLACES = uuid5(NAMESPACE_URL, "urn:avow:pledge-place")


class Status(Enum):
    """How far a pledge has come."""

    NONE = "none"
    DRAFTED = "drafted"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    MADE = "made"


@dataclass(frozen=True)
class Pledge:
    """What the next decision needs; of a pledge made also the items declared fulfilled, verified and withdrawn."""

    status: Status = Status.NONE
    draft: PledgeDrafted | None = None
    declared: frozenset[int] = frozenset()
    verified: frozenset[int] = frozenset()
    withdrawn: frozenset[int] = frozenset()

    @property
    def open_items(self) -> tuple[int, ...]:
        """The items that are neither verified nor withdrawn."""
        count = 0 if self.draft is None else len(self.draft.items)
        return tuple(n for n in range(count) if n not in self.verified | self.withdrawn)

    @property
    def holds_its_place(self) -> bool:
        """Whether it is made and not withdrawn as a whole."""
        whole = self.draft is not None and len(self.withdrawn) == len(self.draft.items)
        return self.status is Status.MADE and not whole


@dataclass(frozen=True)
class Place:
    """The one place a pledger has in a phase, and the pledge that holds it, if one does."""

    place_id: str
    held_by: str | None = None


def place_of(campaign_id: str, phase: str, pledger: Pledger) -> str:
    """The identity of a pledger's place in a phase of a campaign."""
    return str(uuid5(_PLACES, f"{campaign_id}/{phase}/{pledger.kind}/{pledger.id}"))


@dataclass(frozen=True, kw_only=True)
class PledgeFacts(Facts):
    """The campaign, the units that the pledger and each accountable person are members of at that moment, whether
    whoever vets is the secretary of the unit that answers for the pledge, and the pledger's place in the phase, where
    it counts for one."""

    pledge_id: str
    campaign: RunningCampaign
    is_secretary: bool = False
    member_of: Mapping[str, Collection[str]] = field(default_factory=dict)
    place: Place | None = None
