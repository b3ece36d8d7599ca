"""What the service does of itself: report the running counts each hour, and settle what was closed.

Promises: each is done once for its cause, whichever process does it and however often; the log names the cause. One
that cannot be done holds no other up, and ends among the dead letters (avow.service.reactions).
Limit: on a simulated clock nothing happens of itself; whoever sets the clock asks.
"""

from functools import partial
from uuid import NAMESPACE_URL, UUID, uuid5

from avow.eventlog import reading
from avow.eventlog.execute import Executor, Origin, Outcome
from avow.service.service import Service
from avow_evaluation.domain.review_count import ReportReviews, full_hour, review_count
from avow_evaluation.domain.review_round import Status, TallyRound, review_round
from avow_evaluation.facts import count_facts, round_facts
from avow_evaluation.reading.rounds import rounds_at

_HOURS = uuid5(NAMESPACE_URL, "urn:avow:hour")


async def report_open_rounds(service: Service) -> None:
    """Report the ballots that came in up to the full hour, in every open round."""
    hour = full_hour(service.ports.clock.now()).isoformat()
    for org in await service.database.read(reading.organisations):
        for round_id in await service.database.read(partial(rounds_at, org=org, status=Status.OPEN)):
            cause = uuid5(_HOURS, f"{round_id} {hour}")
            origin = _because_of(cause, "report-reviews", org)
            report = partial(service.executor.execute, review_count, round_id, ReportReviews(), count_facts, origin)
            await service.reactions.carry_out("report-reviews", org, cause, report)


async def settle_closed_rounds(service: Service) -> None:
    """Finish every round that was closed and not tallied, such as after a failure between the two."""
    for org in await service.database.read(reading.organisations):
        closed = await service.database.read(partial(rounds_at, org=org, status=Status.CLOSED))
        for round_id, closed_by in closed.items():
            cause = UUID(closed_by)
            tally = partial(settle, service.executor, org, round_id, cause)
            await service.reactions.carry_out("tally-round", org, cause, tally)


async def settle(executor: Executor, org: str, round_id: str, closed_by: UUID) -> Outcome:
    """Report a closed round's last counts, then tally it; `closed_by` is the id of the event that closed it.

    Raises Refusal.
    """
    last = _because_of(closed_by, "report-reviews", org)
    await executor.execute(review_count, round_id, ReportReviews(), count_facts, last)
    tally = _because_of(closed_by, "tally-round", org)
    return await executor.execute(review_round, round_id, TallyRound(), round_facts, tally)


def _because_of(cause: UUID, reaction: str, org: str) -> Origin:
    """Known again by its cause and the reaction to it."""
    return Origin(org=org, route=f"reaction/{reaction}", retry_key=str(cause), fingerprint=cause)
