"""A round of reviews: who reviews which units or members, when, by which form, and what came of it (R-41, R-42).

Announced → frozen (the electorate) → open → closed → tallied. Promises: the electorate stands still from the freeze on;
a part has as many credentials in force as people on its roll; the tally uses the form of the announcement. Hence
ballots ≤ credentials issued ≤ roll.
Limit: the rolls of the public are what the office hands in; that their entries are real people is for people to check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated

from pydantic import Field

from avow.contracts.review import (
    ElectorateFrozen,
    ReviewRoundAnnounced,
    ReviewRoundClosed,
    ReviewRoundOpened,
    ReviewTallied,
)
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent, Prose
from avow.kernel.refusal import Refusal, require
from avow_evaluation.domain.announcement import Announcement, AnnounceRound, announced
from avow_evaluation.domain.credential import CredentialHash
from avow_evaluation.domain.electorate import Part, Roll, RollFrozen, freeze
from avow_evaluation.domain.member_review import MemberReviewTallied, tally_members
from avow_evaluation.domain.recognition import Answers, result_of, tallied
from avow_evaluation.domain.spread import ReviewSpread, spread_of


class FreezeElectorate(Command):
    """Fix who may review; `parts` are the rolls of the public classes, members come from the register."""

    parts: Annotated[tuple[Roll, ...], Field(max_length=2_000)]


class IssueCredentials(Command):
    """Make the credentials of a part, in place of those made for it before."""

    unit_id: Identity
    rater_class: Key


class OpenRound(Command):
    """Take ballots from now on."""


class CloseRound(Command):
    """Take no more ballots; before the time announced it takes a reason."""

    reason: Prose | None = None


class TallyRound(Command):
    """Count the ballots of a closed round."""


RoundCommand = AnnounceRound | FreezeElectorate | IssueCredentials | OpenRound | CloseRound | TallyRound


class CredentialsIssued(PrivateEvent, type="credentials.issued"):
    """The hashes, in their own order, of the credentials in force for a part from now on."""

    round_id: Identity
    unit_id: Identity
    rater_class: Key
    generation: int
    hashes: tuple[CredentialHash, ...]


RoundEvent = (
    ReviewRoundAnnounced
    | ElectorateFrozen
    | RollFrozen
    | CredentialsIssued
    | ReviewRoundOpened
    | ReviewRoundClosed
    | ReviewTallied
    | ReviewSpread
    | MemberReviewTallied
)


class Status(Enum):
    """How far a round has come, in this order."""

    NONE = "none"
    ANNOUNCED = "announced"
    FROZEN = "frozen"
    OPEN = "open"
    CLOSED = "closed"
    TALLIED = "tallied"


_ORDER = tuple(Status)


@dataclass(frozen=True)
class ReviewRound:
    """What the next decision needs; `generations` counts how often each part's credentials were issued."""

    status: Status = Status.NONE
    announced: ReviewRoundAnnounced | None = None
    eligible: Mapping[Part, int] = field(default_factory=dict)
    generations: Mapping[Part, int] = field(default_factory=dict)

    def eligible_for(self, unit_id: str) -> dict[str, int]:
        """How many may review a unit, by rater class."""
        return {rater_class: count for (subject, rater_class), count in self.eligible.items() if subject == unit_id}


@dataclass(frozen=True, kw_only=True)
class RoundFacts(Facts):
    """What each step needs: what an announcement is measured by, the rolls of the member classes, the hashes of fresh
    credentials, the ballots by unit."""

    round_id: str
    announcement: Announcement | None = None
    members: Mapping[Part, Sequence[str]] = field(default_factory=dict)
    hashes: tuple[str, ...] = ()
    ballots: Mapping[str, Sequence[Answers]] = field(default_factory=dict)


def decide(command: RoundCommand, round: ReviewRound, facts: RoundFacts) -> list[RoundEvent]:
    match command:
        case AnnounceRound():
            require(round.status is Status.NONE, "round.announced", "round_id")
            assert facts.announcement is not None
            return [announced(command, facts.round_id, facts.announcement)]
        case FreezeElectorate():
            return [*freeze(require_standing(round, Status.ANNOUNCED), command.parts, facts.members)]
        case IssueCredentials():
            require_standing(round, Status.FROZEN)
            return [_issued(command, round, facts)]
        case OpenRound():
            opens_at = require_standing(round, Status.FROZEN).opens_at
            require(facts.occurred_at >= opens_at, "round.too_early", "occurred_at", opens_at=opens_at.isoformat())
            require_issued(round)
            return [ReviewRoundOpened(round_id=facts.round_id)]
        case CloseRound():
            closes_at = require_standing(round, Status.OPEN).closes_at
            over = facts.occurred_at >= closes_at
            at = closes_at.isoformat()
            require(over or command.reason, "round.closed_early_without_reason", "reason", closes_at=at)
            return [ReviewRoundClosed(round_id=facts.round_id, reason=command.reason)]
        case TallyRound():
            return tally_round(require_standing(round, Status.CLOSED), round, facts.ballots)


def evolve(round: ReviewRound, event: RoundEvent) -> ReviewRound:
    match event:
        case ReviewRoundAnnounced():
            return ReviewRound(Status.ANNOUNCED, event)
        case ElectorateFrozen():
            eligible = {(part.unit_id, part.rater_class): part.eligible for part in event.parts}
            return replace(round, status=Status.FROZEN, eligible=eligible)
        case RollFrozen() | ReviewSpread():
            return round
        case CredentialsIssued():
            generations = {**round.generations, (event.unit_id, event.rater_class): event.generation}
            return replace(round, generations=generations)
        case ReviewRoundOpened():
            return replace(round, status=Status.OPEN)
        case ReviewRoundClosed():
            return replace(round, status=Status.CLOSED)
        case ReviewTallied() | MemberReviewTallied():
            return replace(round, status=Status.TALLIED)


review_round: Decider[RoundCommand, ReviewRound, RoundFacts, RoundEvent] = Decider(
    stream="review_round",
    initial=ReviewRound(),
    decide=decide,
    evolve=evolve,
    events=(
        ReviewRoundAnnounced,
        ElectorateFrozen,
        RollFrozen,
        CredentialsIssued,
        ReviewRoundOpened,
        ReviewRoundClosed,
        ReviewTallied,
        ReviewSpread,
        MemberReviewTallied,
    ),
)


def require_standing(round: ReviewRound, wanted: Status) -> ReviewRoundAnnounced:
    """The announcement of a round that stands at `wanted`; refuses as `round.not_open` one that is not so far, and as
    `round.closed` one that has gone on."""
    if round.announced is None:
        raise Refusal("round.unknown", "round_id")
    there, here = _ORDER.index(wanted), _ORDER.index(round.status)
    if here < there:
        raise Refusal(f"round.not_{wanted.value}", "round_id")
    if here > there:
        raise Refusal(f"round.{_ORDER[there + 1].value}", "round_id")
    return round.announced


def tally_round(
    announced: ReviewRoundAnnounced, round: ReviewRound, ballots: Mapping[str, Sequence[Answers]]
) -> list[RoundEvent]:
    """The result of each subject; of a unit's also the spread, unless it was a rehearsal."""
    if announced.unit_id is not None:
        unit_id = announced.unit_id
        return [*tally_members(announced, round.eligible_for(unit_id), ballots.get(unit_id, ()))]
    found: list[RoundEvent] = []
    for unit_id in announced.subjects:
        result = result_of(announced.form, round.eligible_for(unit_id), ballots.get(unit_id, ()))
        found.append(tallied(announced, unit_id, result))
        if not announced.rehearsal:
            spread = spread_of(announced.form, result.heard)
            found.append(ReviewSpread(round_id=announced.round_id, unit_id=unit_id, classes=spread))
    return found


def require_issued(round: ReviewRound) -> None:
    """Every part with somebody on its roll has credentials."""
    for (unit_id, rater_class), eligible in round.eligible.items():
        issued = (unit_id, rater_class) in round.generations
        require(issued or not eligible, "round.not_issued", "round_id", unit_id=unit_id, rater_class=rater_class)


def require_part(round: ReviewRound, command: IssueCredentials) -> Part:
    """The part the command names; refuses one the electorate does not have."""
    units, classes = ({part[n] for part in round.eligible} for n in (0, 1))
    require(command.unit_id in units, "electorate.unit_unknown", "unit_id")
    require(command.rater_class in classes, "electorate.class_unknown", "rater_class", known=sorted(classes))
    return command.unit_id, command.rater_class


def _issued(command: IssueCredentials, round: ReviewRound, facts: RoundFacts) -> CredentialsIssued:
    part = require_part(round, command)
    assert len(set(facts.hashes)) == round.eligible[part]
    return CredentialsIssued(
        round_id=facts.round_id,
        unit_id=command.unit_id,
        rater_class=command.rater_class,
        generation=round.generations.get(part, 0) + 1,
        # In their own order, which says nothing of the order they were made and handed out in.
        hashes=tuple(sorted(facts.hashes)),
    )
