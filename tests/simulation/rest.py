"""Whether a pair has come to rest: everybody is up and has an answer, and everything is where it should be."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from avow.projections.projector import position_of
from tests.kit.logs import ORG
from tests.simulation.books import OTHER, SIDES

if TYPE_CHECKING:
    from tests.simulation.pair import Pair


def lacking_in(pair: "Pair", callers: list[asyncio.Task[None]]) -> list[str]:
    """What has not come right yet."""
    lacking = []
    for task in callers:
        if not task.done():
            lacking.append("a caller has no answer")
        elif task.exception() is not None:
            raise RuntimeError("a caller broke") from task.exception()
    for side in SIDES:
        lacking += _lacking_at(pair, side)
    return lacking or [each for side in SIDES for each in _not_projected(pair, side)]


def _lacking_at(pair: "Pair", side: str) -> Iterator[str]:
    processes = pair.processes[side]
    if not all(process.running for process in processes):
        yield f"{side} is not up"
        return
    store, other = pair.stores[side], pair.stores[OTHER[side]]
    ends = "SELECT sequence FROM log_head WHERE org = ?"
    sequence, theirs = (each.ask(ends, ORG)[0][0] if each.ask(ends, ORG) else 0 for each in (store, other))
    for process in processes:
        assert process.service is not None
        assert process.follower is not None
        status = process.follower.status
        if (status.state, status.imported_sequence) != ("live", theirs):
            yield f"{side} hears {status}, not {theirs}"
        if process.service.runner.stopped or process.service.runner.interrupted:
            yield f"{side} projects no more: {process.service.runner.stopped}"
    if pair.weather.by_queue:
        states = sorted(process.relay.status.state for process in processes if process.relay is not None)
        if states != ["publishing", *["standby"] * (len(processes) - 1)]:
            yield f"the relays of {side} are {states}"
        if (noted := store.ask("SELECT sequence FROM relay WHERE org = ?", ORG)) != [(sequence,)]:
            yield f"the relay of {side} stands at {noted}, the log at {sequence}"
        queue = pair.broker.queues.get(side)
        if queue is None or not queue.consumers or queue.depth():
            yield f"the queue of {side} holds {queue and queue.depth()}"


def _not_projected(pair: "Pair", side: str) -> Iterator[str]:
    store = pair.stores[side]
    position = store.ask("SELECT position FROM log_head WHERE org = ?", ORG)[0][0]
    for projection in pair.blueprints[side].projections:
        reached = store.read(partial(position_of, org=ORG, projection=projection))
        if reached != position:
            yield f"{projection.name} of {side} is at {reached} of {position}"
