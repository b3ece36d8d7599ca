"""The deciders of the evaluation service, one module an aggregate. Pure."""

from avow.kernel.message import Event
from avow_evaluation.domain.assessment import AssessmentCalculated, AssessmentDropped
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.electorate import RollFrozen
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.ranking import CandidatesRanked
from avow_evaluation.domain.review_round import CredentialsIssued
from avow_evaluation.domain.spread import ReviewSpread

PRIVATE_EVENTS: tuple[type[Event], ...] = (
    RollFrozen,
    CredentialsIssued,
    BallotCast,
    ReviewSpread,
    MemberReviewTallied,
    AssessmentCalculated,
    AssessmentDropped,
    CandidatesRanked,
)
"""What never leaves the service."""
