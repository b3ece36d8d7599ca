"""The read models of the evaluation service, one module each."""

from avow.projections.projection import Projection
from avow.register.projection import Register
from avow_evaluation.projections.credentials import Credentials
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger
from avow_evaluation.projections.round_board import RoundBoard
from avow_evaluation.projections.scoring_rules import PublishedRules

PROJECTIONS: tuple[Projection, ...] = (Register(), Credentials(), RoundBoard(), DedicatedLedger(), PublishedRules())
