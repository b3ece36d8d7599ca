"""What each aggregate's decisions may know, and who may ask for them: one function an aggregate.

Promises: the right is looked at first, as it is held now; then the facts are read from the register as they stood when
the matter happened; whatever they rest on stands still until the decision is in the log.
"""

from avow_pledge.facts.campaign import campaign_facts, campaign_redraft_facts
from avow_pledge.facts.meeting import meeting_facts
from avow_pledge.facts.obligation import obligation_facts
from avow_pledge.facts.organisation import erasure_facts, membership_facts, person_facts, role_facts, unit_facts
from avow_pledge.facts.pledge import pledge_facts, pledge_redraft_facts
from avow_pledge.facts.work_plan import work_plan_facts

__all__ = [
    "campaign_facts",
    "campaign_redraft_facts",
    "erasure_facts",
    "meeting_facts",
    "membership_facts",
    "obligation_facts",
    "person_facts",
    "pledge_facts",
    "pledge_redraft_facts",
    "role_facts",
    "unit_facts",
    "work_plan_facts",
]
