"""The deciders of the pledge service, one module an aggregate. Pure."""

from avow.kernel.message import Event
from avow_pledge.domain.campaign import CampaignDrafted
from avow_pledge.domain.erasure import ErasureRequested, ErasureWithdrawn
from avow_pledge.domain.pledge import (
    PledgeApproved,
    PledgeDrafted,
    PledgePlaceTaken,
    PledgeProgressReported,
    PledgeReturned,
    PledgeSubmitted,
)
from avow_pledge.domain.work_plan import WorkPlanDrafted, WorkPlanReturned, WorkPlanRevised

PRIVATE_EVENTS: tuple[type[Event], ...] = (
    CampaignDrafted,
    ErasureRequested,
    ErasureWithdrawn,
    PledgeDrafted,
    PledgeSubmitted,
    PledgeApproved,
    PledgeReturned,
    PledgePlaceTaken,
    PledgeProgressReported,
    WorkPlanDrafted,
    WorkPlanReturned,
    WorkPlanRevised,
)
"""What never leaves the service."""
