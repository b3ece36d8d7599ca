"""From a draft to a pledge made: what it must have, and who may find it good (R-26, R-28, R-29, R-58)."""

from avow.contracts.pledge import PledgeMade, Pledger
from avow.kernel.refusal import Refusal, require
from avow.programme.choice import choose
from avow_pledge.domain.pledge.commands import DraftPledge, MakePledge
from avow_pledge.domain.pledge.events import PledgeDrafted
from avow_pledge.domain.pledge.standing import Pledge, PledgeFacts, Status


def require_complete(draft: PledgeDrafted, facts: PledgeFacts) -> None:
    """Every item has the fields its programme requires, its milestones lie within the campaign, and whoever answers for
    it is a member of the unit at that moment (R-26); and so is the pledger."""
    require_pledger(draft.pledger, draft.unit_id, facts)
    missing = draft.missing
    require(not missing, "pledge.item_incomplete", next(iter(missing), None), missing=", ".join(missing))
    for n, item in enumerate(draft.items):
        for m, milestone in enumerate(item.milestones):
            inside = facts.campaign.includes(milestone)
            require(inside, "pledge.milestone_outside_campaign", f"items[{n}].milestones[{m}]")
        person = item.accountable_person_id
        answers = person is None or draft.unit_id in facts.member_of.get(person, ())
        require(answers, "pledge.accountable_not_member", f"items[{n}].accountable_person_id")


def require_pledger(pledger: Pledger, unit_id: str, facts: PledgeFacts) -> None:
    """A unit pledges for itself; a member for the unit they are a member of at that moment (R-28)."""
    if pledger.kind == "unit":
        require(pledger.id == unit_id, "pledge.pledger_not_unit", "pledger.id")
    else:
        require(unit_id in facts.member_of.get(pledger.id, ()), "pledge.pledger_not_member", "pledger.id")


def require_running(facts: PledgeFacts) -> None:
    """What is promised in a campaign is promised on one of its days (R-01)."""
    require(facts.campaign.includes(facts.campaign.today), "pledge.outside_campaign", "occurred_at")


def require_anothers(pledger: Pledger, facts: PledgeFacts) -> None:
    """Nobody approves, returns or verifies their own; a unit's is its secretary's, who speaks for it (R-58)."""
    require(not speaks_for(pledger, facts), "pledge.own_approval", "Acting-As")


def speaks_for(pledger: Pledger, facts: PledgeFacts) -> bool:
    """Whether whoever asks is the pledger, or the secretary of the unit that is."""
    return facts.actor == pledger.id or (pledger.kind == "unit" and facts.is_secretary)


def require_place(facts: PledgeFacts) -> None:
    """One pledge a pledger a phase: another that was made keeps this one out, until it is withdrawn whole (R-28)."""
    held_by = None if facts.place is None else facts.place.held_by
    require(held_by in (None, facts.pledge_id), "pledge.one_a_phase", "pledger.id", pledge_id=held_by)


def require_same(command: DraftPledge, draft: PledgeDrafted | None) -> None:
    """A pledge drafted anew stays the same pledger's, in the same unit and campaign."""
    for name in () if draft is None else ("campaign_id", "unit_id", "pledger"):
        require(getattr(command, name) == getattr(draft, name), "pledge.another", name)


def in_status(pledge: Pledge, status: Status, *others: Status) -> PledgeDrafted:
    """The draft of a pledge that stands at `status` or one of the others; each other standing has its refusal."""
    if pledge.draft is None:
        raise Refusal("pledge.unknown", "pledge_id")
    require(pledge.status is not Status.MADE, "pledge.frozen")
    require(pledge.status in (status, *others), f"pledge.not_{status.value}", status=pledge.status.value)
    return pledge.draft


def draft(command: DraftPledge, facts: PledgeFacts) -> PledgeDrafted:
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


def made(draft: PledgeDrafted, command: MakePledge) -> PledgeMade:
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
