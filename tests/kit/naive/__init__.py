"""What each view holds, computed the slow and obvious way: dictionaries, one event after the other.

Nothing here knows how projections are made. A new view joins the comparison by its name in `NAIVE`: a function from
the events, oldest first, to its tables, each a dictionary of rows by key.
"""

from collections.abc import Callable, Iterable

from tests.kit.naive.pledge import meeting_register, obligation_calendar, pledge_wall, work_plans
from tests.kit.naive.register import register
from tests.kit.naive.review import credentials, dedicated_ledger, round_board
from tests.kit.naive.scoring import assessments, commendation_candidates, evidence, scoring_rules
from tests.kit.naive.told import Tables, Told, told

__all__ = ["NAIVE", "told"]

NAIVE: dict[str, Callable[[Iterable[Told]], Tables]] = {
    "register": register,
    "pledge_wall": pledge_wall,
    "meeting_register": meeting_register,
    "obligation_calendar": obligation_calendar,
    "work_plans": work_plans,
    "credentials": credentials,
    "round_board": round_board,
    "dedicated_ledger": dedicated_ledger,
    "scoring_rules": scoring_rules,
    "evidence": evidence,
    "assessments": assessments,
    "commendation_candidates": commendation_candidates,
}
