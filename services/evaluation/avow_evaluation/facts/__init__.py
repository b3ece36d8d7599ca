"""What each aggregate's decisions may know, and who may ask for them: one function an aggregate.

Promises: the right is looked at first, as it is held now; then the facts are read as they stood when the matter
happened, in the snapshot the decision's state was read in.
Limit: the register here is a copy of what the pledge service made public, and may move on meanwhile.
"""

from avow_evaluation.facts.review import CredentialMaker, ballot_facts, count_facts, round_facts
from avow_evaluation.facts.scoring import assessment_facts, ranking_facts, rules_facts

__all__ = [
    "CredentialMaker",
    "assessment_facts",
    "ballot_facts",
    "count_facts",
    "ranking_facts",
    "round_facts",
    "rules_facts",
]
