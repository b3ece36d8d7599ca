"""Two small logs that import from each other, written once, and how they are put back into a database.

`old_logs` writes them: every example there is, each service's in its own log, with all the columns a row can have, on a
simulated clock and from one seed. `load` puts rows that were kept back as they were, so that a release can be shown
that it reads what an earlier one wrote.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, LargeBinary, Row, Uuid, insert, select

from avow.contracts import moment
from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.eventlog.columns import Instant
from avow.eventlog.records import Context, Proposed
from avow.eventlog.tables import create_log, event, log_head, seal_key
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow_evaluation.domain import PRIVATE_EVENTS as EVALUATION_PRIVATE
from avow_pledge.domain import PRIVATE_EVENTS as PLEDGE_PRIVATE
from tests.kit.contract_examples import CAMPAIGN, COMMITTEE, EXAMPLES, LEADER, OTHER_BRANCH, SECRETARY
from tests.kit.logs import ORG, START, Log, a_log, identity, imports
from tests.kit.private_examples import PRIVATE_EXAMPLES

SERVICES = ("pledge", "evaluation")
_PRIVATE = {"pledge": PLEDGE_PRIVATE, "evaluation": EVALUATION_PRIVATE}
_TEXTS = ("data", "sealed")
_MORE: tuple[Event, ...] = (
    UnitRegistered(unit_id=OTHER_BRANCH, name="后勤支部", kind="branch", category=None, parent_id=COMMITTEE),
    PersonRegistered(person_id=SECRETARY, name="柳承远"),
    PersonRegistered(person_id=LEADER, name="贺启明"),
)


async def old_logs() -> dict[str, str]:
    """Both logs row by row, and their keys, by the names of their files."""
    async with AsyncExitStack() as stack:
        pledge, evaluation = [
            await stack.enter_async_context(
                a_log("sqlite://", Ports(SimulatedClock(START), seeded(seed)), service=service)
            )
            for seed, service in enumerate(SERVICES, 1)
        ]
        await _say(pledge, _story("pledge"))
        await evaluation.append(*imports(await pledge.envelopes()))
        await _say(evaluation, _story("evaluation"))
        await pledge.append(*imports(await evaluation.envelopes()))
        files = {}
        for service, log in zip(SERVICES, (pledge, evaluation), strict=True):
            files[f"log/{service}.v1.ndjson"] = "".join(_line(row) for row in await log.rows())
            files[f"log/{service}.keys.v1.json"] = await log.database.read(_keys)
        return files


def load(connection: Connection, folder: Path, service: str) -> None:
    """Put a log that was kept into an empty database: its rows, its keys, and the head they lead to."""
    create_log(connection)
    lines = (folder / "log" / f"{service}.v1.ndjson").read_text("utf-8").splitlines()
    rows = [{column.name: _value(column, kept[column.name]) for column in event.c} for kept in map(json.loads, lines)]
    opened, last = json.loads(rows[0]["data"]), rows[-1]
    head = {
        "org": ORG,
        "log_id": UUID(opened["log_id"]),
        "service": opened["service"],
        "clock": opened["clock"],
        "position": last["position"],
        "sequence": max(row["sequence"] or 0 for row in rows),
        "hash": last["hash"],
        "recorded_at": last["recorded_at"],
    }
    connection.execute(insert(event), rows)
    connection.execute(insert(log_head), [head])
    keys: Mapping[str, str] = json.loads((folder / "log" / f"{service}.keys.v1.json").read_text("utf-8"))
    made = {"org": ORG, "created_at": START}
    connection.execute(insert(seal_key), [{**made, "subject": s, "key": b64decode(k)} for s, k in keys.items()])


def _story(service: str) -> Iterator[Event]:
    said = {*PUBLIC_EVENTS[service], *_PRIVATE[service]}
    every = (*PRIVATE_EXAMPLES, *EXAMPLES, *_MORE)
    return (example for example in every if type(example) in said and example.type != "book.opened")


async def _say(log: Log, story: Iterable[Event]) -> None:
    clock = log.ports.clock
    assert isinstance(clock, SimulatedClock)
    for example in story:
        clock.set(clock.now() + timedelta(hours=1))
        context = Context(
            occurred_at=clock.now() - timedelta(minutes=1),
            actor=SECRETARY,
            on_behalf_of=LEADER,
            campaign=CAMPAIGN,
            correlation_id=log.ports.new_id(),
            causation_id=log.ports.new_id(),
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            late_reason="会议纪要补录",
        )
        stream = f"{example.type.partition('.')[0]}/{identity(1)}"
        await log.append(Proposed(stream, log.ports.new_id(), example, context))


def _line(row: Row[Any]) -> str:
    kept = {column.name: _kept(column, row[n]) for n, column in enumerate(event.c)}
    return json.dumps(kept, ensure_ascii=False) + "\n"


def _kept(column: Column[Any], value: object) -> object:
    match value:
        case bytes():
            return value.decode() if column.name in _TEXTS else value.hex()
        case datetime():
            return moment.to_text(value)
        case UUID():
            return str(value)
    return value


def _value(column: Column[Any], kept: Any) -> Any:
    if kept is None:
        return None
    match column.type:
        case LargeBinary():
            return kept.encode() if column.name in _TEXTS else bytes.fromhex(kept)
        case Instant():
            return moment.from_text(kept)
        case Uuid():
            return UUID(kept)
    return kept


def _keys(connection: Connection) -> str:
    found = connection.execute(select(seal_key).order_by(seal_key.c.subject))
    return json.dumps({row.subject: b64encode(row.key).decode() for row in found}, ensure_ascii=False, indent=2) + "\n"
