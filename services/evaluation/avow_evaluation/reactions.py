"""What the service does of itself: report the running counts each hour, and settle what was closed.

Promises: each is done once for its cause, whichever process does it and however often; the log names the cause.
Limit: on a simulated clock nothing happens of itself; whoever sets the clock asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from avow.eventlog import reading
from avow.eventlog.execute import Executor, Origin, Outcome
from avow.kernel.refusal import Refusal
from avow.service.service import Service
from avow_evaluation.domain.review_count import ReportReviews, full_hour, review_count
from avow_evaluation.domain.review_round import Status, TallyRound, review_round
from avow_evaluation.facts import count_facts, round_facts
from avow_evaluation.reading.rounds import rounds_at

log = structlog.get_logger(__name__)

_HOURS = uuid5(NAMESPACE_URL, "urn:avow:hour")


async def report_open_rounds(service: Service) -> None:
    """Report the ballots that came in up to the full hour, in every open round."""
    hour = full_hour(service.ports.clock.now()).isoformat()
    for org in await service.database.read(reading.organisations):
        for round_id in await service.database.read(partial(rounds_at, org=org, status=Status.OPEN)):
            cause = uuid5(_HOURS, f"{round_id} {hour}")
            origin = _because_of(cause, "report-reviews", org)
            with _alone("report-reviews", org, round_id):
                await service.executor.execute(review_count, round_id, ReportReviews(), count_facts, origin)


async def settle_closed_rounds(service: Service) -> None:
    """Finish every round that was closed and not tallied, such as after a failure between the two."""
    for org in await service.database.read(reading.organisations):
        closed = await service.database.read(partial(rounds_at, org=org, status=Status.CLOSED))
        for round_id, closed_by in closed.items():
            with _alone("tally-round", org, round_id):
                await settle(service.executor, org, round_id, UUID(closed_by))


async def settle(executor: Executor, org: str, round_id: str, closed_by: UUID) -> Outcome:
    """Report a closed round's last counts, then tally it; `closed_by` is the id of the event that closed it.

    Raises Refusal.
    """
    last = _because_of(closed_by, "report-reviews", org)
    await executor.execute(review_count, round_id, ReportReviews(), count_facts, last)
    tally = _because_of(closed_by, "tally-round", org)
    return await executor.execute(review_round, round_id, TallyRound(), round_facts, tally)


@contextmanager
def _alone(reaction: str, org: str, round_id: str) -> Iterator[None]:
    """A round that refuses holds no other up; the next time round it is asked again."""
    try:
        yield
    except Refusal as refusal:
        log.warning("reaction.refused", reaction=reaction, org=org, round_id=round_id, code=refusal.code)


def _because_of(cause: UUID, reaction: str, org: str) -> Origin:
    """Known again by its cause and the reaction to it."""
    return Origin(org=org, route=f"reaction/{reaction}", retry_key=str(cause), fingerprint=cause)
