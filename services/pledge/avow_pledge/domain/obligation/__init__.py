"""A round of an obligation: what came of it, for everybody who owed it in one period (R-33, R-34, R-40).

Said once, when the days of grace are over. Promises: each owner has one verdict a period, however often it is asked;
asked again, only what a late entry has changed is said anew, and what was said before stays said. What is waived stays
waived: only a miss of a duty that is due in principle can be. A pure function of the programme, the register and the
records: the same log gives the same verdicts.
Limit: a verdict already given stays when somebody turns out not to have owed it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import NAMESPACE_URL, uuid5

from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived, Owner
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Prose
from avow.kernel.refusal import Refusal, require
from avow.programme.cadence import Obligation
from avow.programme.choice import choose
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.obligation.calendar import Occasion, occasions
from avow_pledge.domain.obligation.evidence import Record, Verdict, is_assessable, verdicts
from avow_pledge.domain.obligation.owners import Owing, unit_of

_OBLIGATIONS = uuid5(NAMESPACE_URL, "urn:avow:obligation")


class AssessObligations(Command):
    """Say what came of an obligation in the period that began on a day, for everybody who owed it."""

    campaign_id: Identity
    obligation: Key
    starts_on: date


class WaiveObligation(Command):
    """Let a missed obligation go that is due in principle, with the reason."""

    obligation_id: Identity
    reason: Prose


RoundCommand = AssessObligations | WaiveObligation
RoundEvent = ObligationAssessed | ObligationReassessed | ObligationWaived


@dataclass(frozen=True)
class Round:
    """What the next decision needs: what was said of each obligation, and what was last found."""

    assessed: Mapping[str, ObligationAssessed] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class RoundFacts(Facts):
    """The campaign; to assess, also whoever may owe the obligation and each one's records, by the owner's identity."""

    campaign: RunningCampaign
    owing: Sequence[Owing] = ()
    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)


def round_id(campaign_id: str, obligation: str, starts_on: date) -> str:
    """The identity of an obligation's round in the period that begins on a day."""
    return str(uuid5(_OBLIGATIONS, f"{campaign_id}/{obligation}/{starts_on}"))


def obligation_id(campaign_id: str, obligation: str, owner: Owner, starts_on: date) -> str:
    """The identity of what one owner owes in it."""
    return str(uuid5(_OBLIGATIONS, f"{campaign_id}/{obligation}/{owner.kind}/{owner.id}/{starts_on}"))


def decide(command: RoundCommand, round: Round, facts: RoundFacts) -> list[RoundEvent]:
    match command:
        case AssessObligations():
            obligation = choose(facts.campaign.programme.obligation, command.obligation, "obligation")
            occasion = _require_over(command, obligation, facts)
            return _assess(obligation, occasion, round, facts)
        case WaiveObligation():
            return [_waive(command, round, facts)]


def evolve(round: Round, event: RoundEvent) -> Round:
    match event:
        case ObligationAssessed():
            return replace(
                round,
                assessed={**round.assessed, event.obligation_id: event},
                verdicts={**round.verdicts, event.obligation_id: _verdict(event)},
            )
        case ObligationReassessed():
            return replace(round, verdicts={**round.verdicts, event.obligation_id: _verdict(event)})
        case ObligationWaived():
            return replace(round, waived=round.waived | {event.obligation_id})


obligation_round: Decider[RoundCommand, Round, RoundFacts, RoundEvent] = Decider(
    stream="obligation_round",
    initial=Round(),
    decide=decide,
    evolve=evolve,
    events=(ObligationAssessed, ObligationReassessed, ObligationWaived),
)


def _require_over(command: AssessObligations, obligation: Obligation, facts: RoundFacts) -> Occasion:
    """The occasion whose period began on that day; its days of grace are over."""
    require(is_assessable(obligation), "obligation.not_assessable", "obligation")
    for occasion in occasions(obligation, facts.campaign):
        if occasion.starts_on == command.starts_on:
            over = occasion.closes_on < facts.campaign.today
            require(over, "obligation.not_over", "starts_on", closes_on=occasion.closes_on)
            return occasion
    raise Refusal("obligation.no_such_period", "starts_on")


def _assess(obligation: Obligation, occasion: Occasion, round: Round, facts: RoundFacts) -> list[RoundEvent]:
    """What is new: of those who were not assessed, and of those of whom something else is found now."""
    every = occasions(obligation, facts.campaign)
    said: list[RoundEvent] = []
    for owing in facts.owing:
        unit_id = unit_of(owing.spans, occasion)
        if unit_id is None:
            continue
        owed = [each for each in every if unit_of(owing.spans, each) is not None]
        found = verdicts(obligation, owed, facts.records.get(owing.owner.id, ()))[occasion]
        campaign_id = facts.campaign.campaign_id
        identity = obligation_id(campaign_id, obligation.key, owing.owner, occasion.starts_on)
        if identity not in round.assessed:
            said.append(
                ObligationAssessed(
                    obligation_id=identity,
                    campaign_id=campaign_id,
                    obligation=obligation.key,
                    owner=owing.owner,
                    unit_id=unit_id,
                    starts_on=occasion.starts_on,
                    ends_on=occasion.ends_on,
                    due_on=occasion.due_on,
                    outcome=found.outcome,
                    met_on=found.met_on,
                    met_by=found.met_by,
                )
            )
        elif found != round.verdicts[identity] and identity not in round.waived:
            said.append(
                ObligationReassessed(
                    obligation_id=identity, outcome=found.outcome, met_on=found.met_on, met_by=found.met_by
                )
            )
    return said


def _waive(command: WaiveObligation, round: Round, facts: RoundFacts) -> ObligationWaived:
    """Only what is due in principle and was missed is waived, once (R-33)."""
    assessed = round.assessed.get(command.obligation_id)
    if assessed is None:
        raise Refusal("obligation.unknown", "obligation_id")
    require(facts.campaign.programme.obligation(assessed.obligation).soft, "obligation.not_soft", "obligation_id")
    require(command.obligation_id not in round.waived, "obligation.waived_already", "obligation_id")
    missed = round.verdicts[command.obligation_id].outcome == "missed"
    require(missed, "obligation.not_missed", "obligation_id")
    return ObligationWaived(
        obligation_id=assessed.obligation_id,
        campaign_id=assessed.campaign_id,
        obligation=assessed.obligation,
        owner=assessed.owner,
        unit_id=assessed.unit_id,
        starts_on=assessed.starts_on,
        ends_on=assessed.ends_on,
        reason=command.reason,
    )


def _verdict(event: ObligationAssessed | ObligationReassessed) -> Verdict:
    return Verdict(event.outcome, event.met_on, event.met_by)
