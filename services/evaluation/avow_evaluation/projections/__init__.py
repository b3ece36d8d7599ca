"""The read models of the evaluation service, one module each."""

from avow.projections.projection import Projection
from avow.register.projection import Register
from avow_evaluation.projections.assessments import Assessments
from avow_evaluation.projections.commendation_candidates import CommendationCandidates
from avow_evaluation.projections.credentials import Credentials
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger
from avow_evaluation.projections.evidence import Evidence
from avow_evaluation.projections.round_board import RoundBoard
from avow_evaluation.projections.scoring_rules import PublishedRules

PROJECTIONS: tuple[Projection, ...] = (
    Register(),
    Credentials(),
    RoundBoard(),
    DedicatedLedger(),
    PublishedRules(),
    Evidence(),
    Assessments(),
    CommendationCandidates(),
)
