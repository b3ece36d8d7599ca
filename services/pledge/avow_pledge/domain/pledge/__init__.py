"""A pledge: what a unit or a member promises in public (R-24…R-31).

Drafted → submitted → approved → made; short of that it may be returned and drafted anew. Once made, its items are
reported on, declared fulfilled, verified or withdrawn. Promises: it is made only when complete (R-26), and once made
its text is frozen (R-29); a pledger has one in a phase, whoever asks at the same moment (R-28); nobody approves or
verifies their own, and a unit's is its secretary's (R-58).
Limit: who is a member at that moment is a fact read from the register.
"""

from dataclasses import replace

from avow.contracts.pledge import PledgeItemVerified, PledgeMade, PledgeWithdrawn
from avow.kernel.decider import Decider
from avow.kernel.refusal import require
from avow.programme.choice import choose
from avow_pledge.domain.pledge import fulfilling, making
from avow_pledge.domain.pledge.commands import (
    ApprovePledge,
    DraftPledge,
    MakePledge,
    PledgeCommand,
    ReportProgress,
    ReturnPledge,
    SubmitPledge,
    VerifyItem,
    WithdrawPledge,
)
from avow_pledge.domain.pledge.events import (
    PledgeApproved,
    PledgeDrafted,
    PledgeEvent,
    PledgePlaceTaken,
    PledgeProgressReported,
    PledgeReturned,
    PledgeSubmitted,
)
from avow_pledge.domain.pledge.standing import Place, Pledge, PledgeFacts, Status, place_of

__all__ = [
    "ApprovePledge",
    "DraftPledge",
    "MakePledge",
    "Place",
    "Pledge",
    "PledgeApproved",
    "PledgeCommand",
    "PledgeDrafted",
    "PledgeFacts",
    "PledgePlaceTaken",
    "PledgeProgressReported",
    "PledgeReturned",
    "PledgeSubmitted",
    "ReportProgress",
    "ReturnPledge",
    "Status",
    "SubmitPledge",
    "VerifyItem",
    "WithdrawPledge",
    "place_of",
    "place_stream",
    "pledge",
]


def decide(command: PledgeCommand, pledge: Pledge, facts: PledgeFacts) -> list[PledgeEvent]:
    match command:
        case DraftPledge():
            making.require_running(facts)
            require(pledge.status in (Status.NONE, Status.DRAFTED, Status.RETURNED), "pledge.frozen")
            making.require_same(command, pledge.draft)
            making.require_pledger(command.pledger, command.unit_id, facts)
            making.require_place(facts)
            return [making.draft(command, facts)]
        case SubmitPledge():
            draft = making.in_status(pledge, Status.DRAFTED)
            making.require_complete(draft, facts)
            making.require_place(facts)
            return [PledgeSubmitted(pledge_id=facts.pledge_id)]
        case ApprovePledge():
            draft = making.in_status(pledge, Status.SUBMITTED)
            making.require_anothers(draft.pledger, facts)
            return [PledgeApproved(pledge_id=facts.pledge_id)]
        case ReturnPledge():
            draft = making.in_status(pledge, Status.SUBMITTED, Status.APPROVED)
            making.require_anothers(draft.pledger, facts)
            return [PledgeReturned(pledge_id=facts.pledge_id, unit_id=draft.unit_id, reason=command.reason)]
        case MakePledge():
            making.require_running(facts)
            draft = making.in_status(pledge, Status.APPROVED)
            making.require_complete(draft, facts)
            making.require_place(facts)
            choose(facts.campaign.programme.channel, command.channel, "channel")
            made = making.made(draft, command)
            if facts.place is None:
                return [made]
            return [made, PledgePlaceTaken(place_id=facts.place.place_id, pledge_id=facts.pledge_id)]
        case ReportProgress():
            return [fulfilling.report(command, pledge, facts)]
        case VerifyItem():
            return [fulfilling.verify(command, pledge, facts)]
        case WithdrawPledge():
            return [fulfilling.withdraw(command, pledge, facts)]


def evolve(pledge: Pledge, event: PledgeEvent) -> Pledge:
    match event:
        case PledgeDrafted():
            return Pledge(Status.DRAFTED, event)
        case PledgeSubmitted():
            return replace(pledge, status=Status.SUBMITTED)
        case PledgeApproved():
            return replace(pledge, status=Status.APPROVED)
        case PledgeReturned():
            return replace(pledge, status=Status.RETURNED)
        case PledgeMade():
            return replace(pledge, status=Status.MADE)
        case PledgePlaceTaken():
            return pledge
        case PledgeProgressReported():
            return replace(pledge, declared=pledge.declared | {event.item}) if event.fulfilled else pledge
        case PledgeItemVerified():
            return replace(pledge, verified=pledge.verified | {event.item})
        case PledgeWithdrawn():
            return replace(pledge, withdrawn=pledge.withdrawn | set(event.items))


def place_stream(place_id: str) -> str:
    """The stream in which the pledges that took a place follow each other."""
    return f"pledge_place/{place_id}"


pledge: Decider[PledgeCommand, Pledge, PledgeFacts, PledgeEvent] = Decider(
    stream="pledge",
    initial=Pledge(),
    decide=decide,
    evolve=evolve,
    events=(
        PledgeDrafted,
        PledgeSubmitted,
        PledgeApproved,
        PledgeReturned,
        PledgeMade,
        PledgeProgressReported,
        PledgeItemVerified,
        PledgeWithdrawn,
    ),
    beside={PledgePlaceTaken: lambda event: place_stream(event.place_id)},
)
