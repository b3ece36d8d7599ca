"""A pledge: what a unit or a member promises in public (R-24…R-31).

Drafted → submitted → approved, or returned and drafted anew → made. Promises: it is made only when complete (R-26), and
once made its text is frozen (R-29); nobody approves their own (R-58).
Limit: whether the accountable person is a member that day is a fact read from the register.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from avow.contracts.pledge import (
    ItemWording,
    Metric,
    PledgeItem,
    PledgeMade,
    Pledger,
    Quantity,
    Wording,
)
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Line, PrivateEvent, Prose, Value
from avow.kernel.refusal import Refusal, require
from avow.programme import ProgrammeTemplate
from avow.programme.choice import choose


class Indicator(Quantity):
    """A quantitative indicator: what is counted, in which unit, from where to where."""

    name: Line
    metric_unit: Line


class Item(Value):
    """One thing promised; what is still missing may be left out of a draft, not of a pledge (R-25, R-26)."""

    criterion: Key
    aims: tuple[Key, ...] = ()
    goal: Prose
    task: Prose
    measure: Prose
    qualitative_indicators: tuple[Prose, ...] = ()
    quantitative_indicators: tuple[Indicator, ...] = ()
    milestones: tuple[date, ...] = ()
    accountable_person_id: Identity | None = None


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
    """Give a submitted pledge back, saying why."""

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
    phase: Key
    scope: Key
    items: tuple[PledgeItem, ...]
    missing: tuple[str, ...]
    wording: Wording


class PledgeSubmitted(PrivateEvent, type="pledge.submitted"):
    pledge_id: Identity


class PledgeApproved(PrivateEvent, type="pledge.approved"):
    pledge_id: Identity


class PledgeReturned(PrivateEvent, type="pledge.returned"):
    pledge_id: Identity
    reason: Prose


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


@dataclass(frozen=True)
class PledgeFacts(Facts):
    """The campaign's programme and days, and each accountable person's units on the day of the matter."""

    pledge_id: str = ""
    programme: ProgrammeTemplate | None = None
    starts_on: date = date.min
    ends_on: date | None = None
    day: date = date.min
    member_of: Mapping[str, frozenset[str]] = field(default_factory=dict)


def decide(command: PledgeCommand, pledge: Pledge, facts: PledgeFacts) -> list[PledgeEvent]:
    match command:
        case DraftPledge():
            require(pledge.status in (Status.NONE, Status.DRAFTED, Status.RETURNED), "pledge.frozen")
            return [_draft(command, facts)]
        case SubmitPledge():
            draft = _in(pledge, Status.DRAFTED)
            require_complete(draft, facts)
            return [PledgeSubmitted(pledge_id=facts.pledge_id)]
        case ApprovePledge():
            draft = _in(pledge, Status.SUBMITTED)
            require(facts.actor != draft.pledger.id, "pledge.own_approval", "Acting-As")
            return [PledgeApproved(pledge_id=facts.pledge_id)]
        case ReturnPledge():
            _in(pledge, Status.SUBMITTED)
            return [PledgeReturned(pledge_id=facts.pledge_id, reason=command.reason)]
        case MakePledge():
            draft = _in(pledge, Status.APPROVED)
            require_complete(draft, facts)
            assert facts.programme is not None
            choose(facts.programme.channel, command.channel, "channel")
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
    """Every item has the fields its programme requires, its milestones lie within the campaign, and whoever answers for it is
    a member of the unit that day (R-26)."""
    missing = draft.missing
    require(not missing, "pledge.item_incomplete", next(iter(missing), None), missing=", ".join(missing))
    for n, item in enumerate(draft.items):
        for m, milestone in enumerate(item.milestones):
            inside = facts.starts_on <= milestone and (facts.ends_on is None or milestone <= facts.ends_on)
            require(inside, "pledge.milestone_outside_campaign", f"items[{n}].milestones[{m}]")
        units = facts.member_of.get(item.accountable_person_id or "", frozenset())
        require(draft.unit_id in units, "pledge.accountable_not_member", f"items[{n}].accountable_person_id")


def _in(pledge: Pledge, status: Status) -> PledgeDrafted:
    """The draft of a pledge that stands at `status`; each other standing has its refusal."""
    if pledge.draft is None:
        raise Refusal("pledge.unknown", "pledge_id")
    require(pledge.status is not Status.MADE, "pledge.frozen")
    require(pledge.status is status, f"pledge.not_{status.value}", status=pledge.status.value)
    return pledge.draft


def _draft(command: DraftPledge, facts: PledgeFacts) -> PledgeDrafted:
    programme = facts.programme
    assert programme is not None
    phase = programme.phase_on(facts.day)
    if phase is None:
        raise Refusal("pledge.outside_phases", "occurred_at")
    choose(programme.scope, command.scope, "scope")
    rules = programme.pledge.unit if command.pledger.kind == "unit" else programme.pledge.member
    if rules is None:
        raise Refusal("pledge.pledger_not_asked", "pledger.kind")
    count = len(command.items)
    require(
        rules.min_items <= count <= rules.max_items, "pledge.item_count", "items", least=rules.min_items, most=rules.max_items
    )
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
        phase=phase.key,
        scope=command.scope,
        items=tuple(_structure(item) for item in command.items),
        missing=tuple(_missing(command.items, rules.required_fields)),
        wording=tuple(_words(item) for item in command.items),
    )


def _missing(items: Iterable[Item], required: Iterable[str]) -> Iterable[str]:
    for n, item in enumerate(items):
        for name in required:
            if not getattr(item, name):
                yield f"items[{n}].{name}"


def _structure(item: Item) -> PledgeItem:
    return PledgeItem(
        criterion=item.criterion,
        aims=item.aims,
        quantities=tuple(
            Quantity(baseline=i.baseline, target=i.target, direction=i.direction) for i in item.quantitative_indicators
        ),
        milestones=item.milestones,
        accountable_person_id=item.accountable_person_id,
    )


def _words(item: Item) -> ItemWording:
    return ItemWording(
        goal=item.goal,
        task=item.task,
        measure=item.measure,
        qualitative_indicators=item.qualitative_indicators,
        metrics=tuple(Metric(name=i.name, metric_unit=i.metric_unit) for i in item.quantitative_indicators),
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
