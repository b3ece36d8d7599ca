"""A pledge: what a unit or a member promises in public (R-24…R-31).

Drafted → submitted → approved → made; short of that it may be returned and drafted anew. Promises: it is made only when
complete (R-26), and once made its text is frozen (R-29); nobody approves their own, and a unit's is its secretary's
(R-58).
Limit: who is a member at that moment is a fact read from the register.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated

from avow.contracts.pledge import PledgeItem, PledgeMade, Pledger, Wording
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent, Prose
from avow.kernel.refusal import Refusal, require
from avow.kernel.seal import Seal, SealedUnder
from avow.programme.choice import choose
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.item import Item


class DraftPledge(Command):
    """Write a pledge, or write it anew after it was returned."""

    campaign_id: Identity
    unit_id: Identity
    pledger: Pledger
    scope: Key
    items: tuple[Item, ...]


class SubmitPledge(Command):
    """Put a draft before the secretary."""


class ApprovePledge(Command):
    """Find a submitted pledge good."""


class ReturnPledge(Command):
    """Give a pledge back that was submitted, approved perhaps, and not made; saying why."""

    reason: Prose


class MakePledge(Command):
    """Publish an approved pledge within its scope, over a channel."""

    channel: Key


PledgeCommand = DraftPledge | SubmitPledge | ApprovePledge | ReturnPledge | MakePledge


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


PledgeEvent = PledgeDrafted | PledgeSubmitted | PledgeApproved | PledgeReturned | PledgeMade


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
    """What the next decision needs."""

    status: Status = Status.NONE
    draft: PledgeDrafted | None = None


@dataclass(frozen=True, kw_only=True)
class PledgeFacts(Facts):
    """The campaign, the units that the pledger and each accountable person are members of at that moment, and whether
    whoever approves or returns is the unit's secretary."""

    pledge_id: str
    campaign: RunningCampaign
    is_secretary: bool = False
    member_of: Mapping[str, Collection[str]] = field(default_factory=dict)


def decide(command: PledgeCommand, pledge: Pledge, facts: PledgeFacts) -> list[PledgeEvent]:
    match command:
        case DraftPledge():
            _require_running(facts)
            require(pledge.status in (Status.NONE, Status.DRAFTED, Status.RETURNED), "pledge.frozen")
            _require_same(command, pledge.draft)
            _require_pledger(command.pledger, command.unit_id, facts)
            return [_draft(command, facts)]
        case SubmitPledge():
            draft = _in(pledge, Status.DRAFTED)
            require_complete(draft, facts)
            return [PledgeSubmitted(pledge_id=facts.pledge_id)]
        case ApprovePledge():
            draft = _in(pledge, Status.SUBMITTED)
            _require_anothers(draft.pledger, facts)
            return [PledgeApproved(pledge_id=facts.pledge_id)]
        case ReturnPledge():
            draft = _in(pledge, Status.SUBMITTED, Status.APPROVED)
            _require_anothers(draft.pledger, facts)
            return [PledgeReturned(pledge_id=facts.pledge_id, unit_id=draft.unit_id, reason=command.reason)]
        case MakePledge():
            _require_running(facts)
            draft = _in(pledge, Status.APPROVED)
            require_complete(draft, facts)
            choose(facts.campaign.programme.channel, command.channel, "channel")
            return [_made(draft, command)]


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


pledge: Decider[PledgeCommand, Pledge, PledgeFacts, PledgeEvent] = Decider(
    stream="pledge",
    initial=Pledge(),
    decide=decide,
    evolve=evolve,
    events=(PledgeDrafted, PledgeSubmitted, PledgeApproved, PledgeReturned, PledgeMade),
)


def require_complete(draft: PledgeDrafted, facts: PledgeFacts) -> None:
    """Every item has the fields its programme requires, its milestones lie within the campaign, and whoever answers for
    it is a member of the unit at that moment (R-26); and so is the pledger."""
    _require_pledger(draft.pledger, draft.unit_id, facts)
    missing = draft.missing
    require(not missing, "pledge.item_incomplete", next(iter(missing), None), missing=", ".join(missing))
    for n, item in enumerate(draft.items):
        for m, milestone in enumerate(item.milestones):
            inside = facts.campaign.includes(milestone)
            require(inside, "pledge.milestone_outside_campaign", f"items[{n}].milestones[{m}]")
        person = item.accountable_person_id
        answers = person is None or draft.unit_id in facts.member_of.get(person, ())
        require(answers, "pledge.accountable_not_member", f"items[{n}].accountable_person_id")


def _require_pledger(pledger: Pledger, unit_id: str, facts: PledgeFacts) -> None:
    """A unit pledges for itself; a member for the unit they are a member of at that moment (R-28)."""
    if pledger.kind == "unit":
        require(pledger.id == unit_id, "pledge.pledger_not_unit", "pledger.id")
    else:
        require(unit_id in facts.member_of.get(pledger.id, ()), "pledge.pledger_not_member", "pledger.id")


def _require_running(facts: PledgeFacts) -> None:
    """What is promised in a campaign is promised on one of its days (R-01)."""
    require(facts.campaign.includes(facts.campaign.today), "pledge.outside_campaign", "occurred_at")


def _require_anothers(pledger: Pledger, facts: PledgeFacts) -> None:
    """Nobody approves or returns their own; a unit's is its secretary's, who speaks for it (R-58)."""
    own = facts.actor == pledger.id or (pledger.kind == "unit" and facts.is_secretary)
    require(not own, "pledge.own_approval", "Acting-As")


def _require_same(command: DraftPledge, draft: PledgeDrafted | None) -> None:
    """A pledge drafted anew stays the same pledger's, in the same unit and campaign."""
    for name in () if draft is None else ("campaign_id", "unit_id", "pledger"):
        require(getattr(command, name) == getattr(draft, name), "pledge.another", name)


def _in(pledge: Pledge, status: Status, *others: Status) -> PledgeDrafted:
    """The draft of a pledge that stands at `status` or one of the others; each other standing has its refusal."""
    if pledge.draft is None:
        raise Refusal("pledge.unknown", "pledge_id")
    require(pledge.status is not Status.MADE, "pledge.frozen")
    require(pledge.status in (status, *others), f"pledge.not_{status.value}", status=pledge.status.value)
    return pledge.draft


def _draft(command: DraftPledge, facts: PledgeFacts) -> PledgeDrafted:
    programme = facts.campaign.programme
    phase = programme.phase_on(facts.campaign.today)
    choose(programme.scope, command.scope, "scope")
    rules = programme.pledge.unit if command.pledger.kind == "unit" else programme.pledge.member
    if rules is None:
        raise Refusal("pledge.pledger_not_asked", "pledger.kind")
    count = len(command.items)
    least, most = rules.min_items, rules.max_items
    require(least <= count <= most, "pledge.item_count", "items", least=least, most=most)
    subject = programme.criteria_for(command.pledger.kind)
    for n, item in enumerate(command.items):
        choose(subject.criterion, item.criterion, f"items[{n}].criterion")
        for m, aim in enumerate(item.aims):
            choose(programme.aim, aim, f"items[{n}].aims[{m}]")
    return PledgeDrafted(
        pledge_id=facts.pledge_id,
        campaign_id=command.campaign_id,
        unit_id=command.unit_id,
        pledger=command.pledger,
        phase=None if phase is None else phase.key,
        scope=command.scope,
        items=tuple(item.structure() for item in command.items),
        missing=tuple(f"items[{n}].{it}" for n, item in enumerate(command.items) for it in item.lacks(rules)),
        wording=tuple(item.words() for item in command.items),
    )


def _made(draft: PledgeDrafted, command: MakePledge) -> PledgeMade:
    return PledgeMade(
        pledge_id=draft.pledge_id,
        campaign_id=draft.campaign_id,
        unit_id=draft.unit_id,
        pledger=draft.pledger,
        phase=draft.phase,
        items=draft.items,
        scope=draft.scope,
        channel=command.channel,
        wording=draft.wording,
    )
