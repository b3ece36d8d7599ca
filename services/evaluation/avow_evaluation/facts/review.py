"""What a round, a ballot and a count may know, and who may ask for them.

Promises: a round's standing is folded from its own stream, which stands still until the decision is in the log.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import product
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from avow.contracts.review import ReviewRoundAnnounced, ReviewRoundClosed, ReviewRoundOpened, ReviewTallied
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.execute import Asked, Grounds
from avow.eventlog.records import Recorded
from avow.eventlog.tables import event
from avow.eventlog.types import EventTypes
from avow.kernel.refusal import Refusal
from avow.projections.projector import position_of
from avow.register.reading import RegisterReader
from avow_evaluation.domain.announcement import Announcement, AnnounceRound
from avow_evaluation.domain.ballot import Ballot, BallotCast, BallotFacts, CastBallot, ballot
from avow_evaluation.domain.credential import fresh, hash_of
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.member_review import MemberReviewTallied, units_of
from avow_evaluation.domain.review_count import CountFacts, ReportReviews, ReviewCount, full_hour
from avow_evaluation.domain.review_round import (
    CredentialsIssued,
    FreezeElectorate,
    IssueCredentials,
    ReviewRound,
    RoundCommand,
    RoundFacts,
    Status,
    TallyRound,
    review_round,
)
from avow_evaluation.domain.spread import ReviewSpread
from avow_evaluation.projections.credentials import Credentials
from avow_evaluation.reading.credentials import part_of

_STEPS = (
    ReviewRoundAnnounced,
    ReviewRoundOpened,
    ReviewRoundClosed,
    ReviewTallied,
    ReviewSpread,
    MemberReviewTallied,
)
"""What says how far a round has come, without its rolls and credentials."""
_TYPES = EventTypes((*_STEPS, BallotCast))


def round_facts(connection: Connection, asked: Asked[RoundCommand, ReviewRound]) -> Grounds[RoundFacts]:
    """The office's (R-41)."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    facts = RoundFacts(occurred_at=asked.occurred_at, actor=asked.actor, round_id=asked.identity)
    match asked.command:
        case AnnounceRound():
            facts = replace(facts, announcement=_announcement(reader, asked.command, asked.occurred_at))
        case FreezeElectorate():
            facts = replace(facts, members=_members(reader, asked.state, asked.occurred_at))
        case TallyRound():
            facts = replace(facts, ballots=_by_unit(connection, asked.org, asked.identity))
        case _:
            pass
    return Grounds(facts)


@dataclass
class CredentialMaker:
    """The same for issuing credentials, which it makes; they are in `made` and nowhere else."""

    random_bytes: Callable[[int], bytes]
    made: tuple[str, ...] = ()

    def facts(self, connection: Connection, asked: Asked[RoundCommand, ReviewRound]) -> Grounds[RoundFacts]:
        """As `round_facts`, with the hashes of as many fresh credentials as there are people on the part's roll."""
        assert isinstance(asked.command, IssueCredentials)
        grounds = round_facts(connection, asked)
        part = asked.command.unit_id, asked.command.rater_class
        self.made = fresh(asked.state.eligible.get(part, 0), self.random_bytes)
        return Grounds(replace(grounds.facts, hashes=tuple(map(hash_of, self.made))), grounds.expect)


def ballot_facts(connection: Connection, asked: Asked[CastBallot, Ballot]) -> Grounds[BallotFacts]:
    """Whoever holds a credential; the round as it stands, and the credential's part of the electorate (R-41)."""
    round_id, credential_hash = asked.identity.split("/")
    round, expect = asked.recall(
        ("round", asked.org, round_id), lambda: _taking_ballots(connection, asked.org, round_id)
    )
    # What is known of a credential holds for the round as it stood then: before it opens, others may be issued.
    part = asked.recall(
        ("credential", asked.org, asked.identity, *expect.values()),
        lambda: part_of(connection, asked.org, round_id, credential_hash),
    )
    facts = BallotFacts(occurred_at=asked.occurred_at, now=asked.now, round_id=round_id, round=round, part=part)
    return Grounds(facts, dict(expect), guarded=True)


def count_facts(connection: Connection, asked: Asked[ReportReviews, ReviewCount]) -> Grounds[CountFacts]:
    """The office's; the ballots up to the last full hour, once the round is closed all of them (R-41)."""
    RegisterReader(connection, asked.org, asked.recall).require_office(asked.actor, asked.now)
    round, expect = _standing(connection, asked.org, asked.identity)
    hour = full_hour(asked.occurred_at)
    counts = Counter(
        (cast.unit_id, cast.rater_class)
        for record, cast in _ballots(connection, asked.org, asked.identity)
        if round.status is not Status.OPEN or record.occurred_at < hour
    )
    facts = CountFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        round_id=asked.identity,
        round=round,
        counts=counts,
    )
    return Grounds(facts, expect)


def _standing(connection: Connection, org: str, round_id: str) -> tuple[ReviewRound, dict[str, int]]:
    """How far a round has come, and once it is open the version of its stream: from then on it has only such steps."""
    stream = review_round.stream_of(round_id)
    steps = reading.stream(connection, org, stream, types=[step.type for step in _STEPS])
    round = review_round.fold(_TYPES.decode_as(_STEPS, steps))
    return round, {stream: steps[-1].version} if steps else {}


def _taking_ballots(connection: Connection, org: str, round_id: str) -> tuple[ReviewRound, dict[str, int]]:
    """The same, once all its credentials are known: an open round issues no more."""
    standing = _standing(connection, org, round_id)
    _require_every_credential(connection, org, round_id)
    return standing


def _require_every_credential(connection: Connection, org: str, round_id: str) -> None:
    """The view of credentials has taken in the last that were issued for the round."""
    issued = event.c.stream == review_round.stream_of(round_id), event.c.type == CredentialsIssued.type
    last = connection.scalar(select(func.max(event.c.position)).where(event.c.org == org, *issued)) or 0
    reached = position_of(connection, org, Credentials()) or 0
    if reached < last:
        raise Refusal("position.not_reached", position=last, reached=reached)


def _announcement(reader: RegisterReader, command: AnnounceRound, at: datetime) -> Announcement:
    for n, unit_id in enumerate(command.subjects):
        reader.unit_then(unit_id, at, f"subjects[{n}]")
    members: list[str] = []
    if command.unit_id is not None:
        reader.unit_then(command.unit_id, at)
        members = reader.members(command.unit_id, at)
    campaign = reader.campaign(command.campaign_id)
    zone = campaign.programme.time_zone
    return Announcement(
        programme=campaign.programme,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
        opens_on=_day(command.opens_at, zone, "opens_at"),
        closes_on=_day(command.closes_at, zone, "closes_at"),
        members=members,
    )


def _day(moment: datetime, zone: str, at: str) -> date:
    try:
        return moment.astimezone(ZoneInfo(zone)).date()
    except OverflowError as error:
        # The first and the last day there are: no campaign reaches them.
        raise Refusal("round.outside_campaign", at) from error


def _members(reader: RegisterReader, round: ReviewRound, at: datetime) -> dict[Part, list[str]]:
    """The rolls of the classes whose raters are members of the unit they review."""
    if round.announced is None:
        return {}
    programme = reader.campaign(round.announced.campaign_id).programme
    classes = [weight.rater_class for weight in round.announced.form.weights]
    of_members = [key for key in classes if programme.rater_class(key).is_member]
    return {
        (unit_id, key): reader.members(unit_id, at) for unit_id, key in product(units_of(round.announced), of_members)
    }


def _by_unit(connection: Connection, org: str, round_id: str) -> dict[str, list[BallotCast]]:
    found: dict[str, list[BallotCast]] = defaultdict(list)
    for _, cast in _ballots(connection, org, round_id):
        found[cast.unit_id].append(cast)
    return found


def _ballots(connection: Connection, org: str, round_id: str) -> Iterator[tuple[Recorded, BallotCast]]:
    head = read_head(connection, org)
    upto = 0 if head is None else head.position
    for record in reading.streams_below(connection, org, f"{ballot.stream_of(round_id)}/", upto):
        for cast in _TYPES.decode_as((BallotCast,), [record]):
            yield record, cast
