"""Writing one batch by comparing and swapping the head: no lock is taken and nothing is read.

Promises: the batch is written whole behind the end of the log as it is remembered, or not at all because somebody else
wrote meanwhile; either way in one statement, which holds the head row like any other append. What it cannot do
(refuse, recognise a retry, seal, destroy a key) it leaves to a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from avow.eventlog.batch import Head, Request, Written, number, placed
from avow.eventlog.compose import Composed, compose, time_of
from avow.eventlog.direct import Direct
from avow.eventlog.memory import Remembered, recall, surely_new
from avow.eventlog.records import Proposed
from avow.eventlog.statements import SWAP, VERSIONS, insert_behind, swap_arguments, versions_of
from avow.kernel.ports import Ports
from avow.kernel.seal import sealed_fields


@dataclass(frozen=True)
class _Plan:
    rows: list[Composed]
    written: Written


async def swap(
    direct: Direct, org: str, requests: Sequence[Request], ports: Ports, remembered: Remembered
) -> Written | None:
    """Append the whole batch on PostgreSQL, committed; None where nothing was written because it takes a transaction.

    Raises IntegrityError where an event id is in the log already.
    """
    if _takes_a_key(requests):
        return None
    versions, unknown = _asked(requests, remembered)
    if unknown:
        versions |= {stream: version or 0 for stream, version in await direct.rows(VERSIONS, org, unknown)}
    plan = _plan(org, requests, ports, remembered.head, versions)
    if plan is None:
        return None
    moved = await direct.count(SWAP, *swap_arguments(org, remembered.head, plan.rows, plan.written.head))
    return plan.written if moved == len(plan.rows) else None


def swap_within(
    connection: Connection, org: str, requests: Sequence[Request], ports: Ports, remembered: Remembered
) -> Written | None:
    """The same in the transaction the connection is in."""
    if _takes_a_key(requests):
        return None
    versions, unknown = _asked(requests, remembered)
    if unknown:
        versions |= versions_of(connection, org, unknown)
    plan = _plan(org, requests, ports, remembered.head, versions)
    if plan is None or not insert_behind(connection, org, remembered.head, plan.rows, plan.written.head):
        return None
    return plan.written


def _asked(requests: Sequence[Request], remembered: Remembered) -> tuple[dict[str, int], list[str]]:
    versions, unknown = recall(requests, remembered)
    new = surely_new(requests, unknown) if unknown else set()
    return versions, [stream for stream in unknown if stream not in new]


def _plan(org: str, requests: Sequence[Request], ports: Ports, head: Head, versions: dict[str, int]) -> _Plan | None:
    outcome = number(org, head, requests, versions, {})
    if any(isinstance(answer, Exception) for answer in outcome):
        return None
    rows = placed(requests, outcome)
    if not rows:
        return None
    recorded_at = time_of(head, rows, ports.clock.now())
    payloads = [(item.event.model_dump_json().encode(), None) for item, _ in rows if isinstance(item, Proposed)]
    composed, behind = compose(org, head, rows, payloads, recorded_at, ports.random_bytes)
    moved = versions | {at.stream: at.version for _, at in rows}
    return _Plan(composed, Written(outcome, behind, moved, undisturbed=True))


def _takes_a_key(requests: Sequence[Request]) -> bool:
    items = (item for request in requests for item in request.items)
    return any(isinstance(item, Proposed) and sealed_fields(type(item.event)) for item in items)
