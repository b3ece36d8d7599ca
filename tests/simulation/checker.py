"""What must hold in the end, once everything could come right: nothing lost, nothing doubled, everything verified.

What must hold at every moment is watched where it happens: in broker.py, and in `Pair.look`.
"""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection

from avow.audit.imports import verify_imports
from avow.audit.log import verify_log
from avow.contracts.envelope import encode
from avow.eventlog import reading
from avow.eventlog.types import EventTypes
from avow.projections.projection import Projection
from avow.projections.replay import Replay
from tests.kit.logs import ORG
from tests.simulation.books import OTHER, SIDES
from tests.simulation.store import Store

if TYPE_CHECKING:
    from tests.simulation.pair import Pair

T = TypeVar("T")
ALL = 2**53


class Plain:
    """A store as a `Database` that fails in nothing."""

    dialect = "sqlite"

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, work: Callable[[Connection], T]) -> T:
        return self._store.read(work)

    write = glance = read

    async def close(self) -> None:
        """Nothing is open."""


async def check(pair: "Pair") -> list[str]:
    """Everything that is not as it should be."""
    wrong: list[str] = []
    for side in SIDES:
        store = pair.stores[side]
        verdict = store.read(lambda connection: verify_log(connection, ORG))
        wrong += [f"the log of {side}: {finding.code} at {finding.position}" for finding in verdict.findings]
        wrong += _imports(pair, side)
        wrong += _answers(pair, side)
        for projection in pair.blueprints[side].projections:
            if not store.read(partial(_as_replayed, projection=projection, types=pair.types[side])):
                wrong.append(f"{projection.name} of {side} is not what its log gives")
        imports = await verify_imports(Plain(store), Plain(pair.stores[OTHER[side]]), ORG)
        wrong += [f"the imports of {side}: {finding.code} at {finding.position}" for finding in imports.findings]
        if pair.weather.by_queue:
            wrong += _published(pair, side)
    return wrong


def _imports(pair: "Pair", side: str) -> list[str]:
    """Everything public of the other side, once, in its order, byte for byte."""
    public = pair.stores[OTHER[side]].read(lambda c: reading.envelopes(c, ORG, 0, ALL, None, ALL))
    query = "SELECT data FROM event WHERE stream LIKE 'import/%' ORDER BY position"
    copies = [bytes(data) for (data,) in pair.stores[side].ask(query)]
    return [] if copies == [encode(one) for one in public] else [f"{side} did not import what is public at the other"]


def _answers(pair: "Pair", side: str) -> list[str]:
    """Nothing a caller was told is lost or elsewhere; nothing asked is there twice."""
    store, account = pair.stores[side], pair.accounts[side]
    rows = store.ask("SELECT event_id, position, data FROM event WHERE stream NOT LIKE 'import/%'")
    places = {str(event_id).replace("-", ""): position for event_id, position, _ in rows}
    wrong = [
        f"{side} lost what a caller was told is at {row.position}"
        for event_id, row in account.told.items()
        if places.get(event_id.hex) != row.position
    ]
    said = Counter(word for _, _, data in rows for word in _words(data))
    return wrong + [f"{side} wrote {word} {said[word]} times" for word in sorted(account.asked) if said[word] > 1]


def _words(data: bytes) -> list[str]:
    payload = json.loads(data)
    return [payload[name] for name in ("text", "name") if isinstance(payload.get(name), str)]


def _as_replayed(connection: Connection, projection: Projection, types: EventTypes) -> bool:
    """Whether a projection's rows are those of a replay from the beginning."""
    replay = Replay(projection, types)
    replay.take(reading.page(connection, ORG, 0, ALL, projection.event_types, ALL))
    for view in projection.tables:
        live = connection.execute(view.sql(projection.version).select()).mappings().all()
        want = [dict(row) for row in replay.rows(view)]
        have = [{name: value for name, value in row.items() if name in view.defaults} for row in live]
        if sorted(map(_canonical, want)) != sorted(map(_canonical, have)):
            return False
    return True


def _canonical(row: dict[str, object]) -> str:
    return json.dumps(row, default=str, sort_keys=True, ensure_ascii=False)


def _published(pair: "Pair", side: str) -> list[str]:
    """The broker was given every public event; what it was given for dead is no sound event."""
    (head,) = pair.stores[side].ask("SELECT sequence FROM log_head WHERE org = ?", ORG)[0]
    missing = sorted(set(range(1, head + 1)) - pair.broker.confirmed[side])
    return [f"{side} never published {missing[:5]}"] if missing else []
