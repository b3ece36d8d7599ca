"""What each aggregate's decisions may know, and who may ask for them: one function an aggregate.

Promises: the right is looked at first, as it is held now; the facts are read as they stood when the matter happened; a
round's standing is folded from its own stream, which stands still until the decision is in the log.
Limit: the register is a copy of what the pledge service made public, so it can move on while a decision is written.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from avow.contracts.review import ReviewRoundAnnounced, ReviewRoundClosed, ReviewRoundOpened, ReviewTallied
from avow.eventlog import reading
from avow.eventlog.append import read_head, versions_of
from avow.eventlog.execute import Asked, Grounds
from avow.eventlog.records import EventTypes, Recorded
from avow.kernel.refusal import Refusal, require
from avow.projections.projector import position_of
from avow.register.reading import RegisterReader
from avow_evaluation.domain import ballot, review_count, review_round
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.credential import fresh, hash_of
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.review_round import Announcement, RoundFacts, Status
from avow_evaluation.projections.credentials import Credentials, part_of

_STEPS = (ReviewRoundAnnounced, ReviewRoundOpened, ReviewRoundClosed, ReviewTallied)
_TYPES = EventTypes((*_STEPS, BallotCast))
RoundAsked = Asked[review_round.RoundCommand, review_round.ReviewRound]


def round_facts(connection: Connection, asked: RoundAsked) -> Grounds[RoundFacts]:
    """The office's (R-41)."""
    reader = RegisterReader(connection, asked.org)
    reader.require_office(asked.actor, asked.now)
    facts = RoundFacts(occurred_at=asked.occurred_at, actor=asked.actor, round_id=asked.identity)
    match asked.command:
        case review_round.AnnounceRound():
            facts = replace(facts, announcement=_announcement(reader, asked.command))
        case review_round.FreezeElectorate():
            facts = replace(facts, members=_members(reader, asked.state, asked.occurred_at))
        case review_round.TallyRound():
            facts = replace(facts, ballots=_by_unit(connection, asked))
    return Grounds(facts)
