"""The routes of the evaluation service, one module a resource; thin."""

from avow_evaluation.http.assessments import router as assessments
from avow_evaluation.http.ballots import router as ballots
from avow_evaluation.http.candidates import router as candidates
from avow_evaluation.http.evidence import router as evidence
from avow_evaluation.http.ledger import router as ledger
from avow_evaluation.http.people import router as people
from avow_evaluation.http.rounds import router as rounds
from avow_evaluation.http.rules import router as rules

routers = (rounds, ballots, ledger, rules, assessments, candidates, evidence, people)
