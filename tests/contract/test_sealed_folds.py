"""A fold never opens a seal: without a single key every projection of both services comes out the same."""

from collections.abc import AsyncIterator, Sequence

import grimp
import pytest
from sqlalchemy import Connection, delete, select

from avow.contracts.catalogue import every_public_event
from avow.contracts.organisation import PersonRegistered
from avow.contracts.pledge import PledgeWithdrawn
from avow.eventlog.records import Recorded
from avow.eventlog.seals import open_seals
from avow.eventlog.tables import KEY_TABLES, seal_key
from avow.kernel.seal import Seal
from avow.projections.checksum import checksum
from avow.projections.projection import Projection, Row, key, on, table, text
from avow.projections.projector import checkpoint, create_views, project
from avow_evaluation.projections import PROJECTIONS as OF_EVALUATION
from avow_pledge.projections import PROJECTIONS as OF_PLEDGE
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import ORG, Log, a_log, proposed

ALL = {projection.name: projection for projection in (*OF_PLEDGE, *OF_EVALUATION)}
FOLDS = ("avow.projections.projection", "avow.register.projection", "avow_pledge.projections")
names = table("peeked_name", key("person_id"), text("name"))


class Peeking(Projection):
    """What no projection may do."""

    name, version, tables = "peeking", 1, (names,)

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    @on(PersonRegistered, row=names.at("person_id"))
    def registered(self, event: PersonRegistered, recorded: Recorded, row: Row) -> None:
        assert isinstance(event.name, Seal)
        row["name"] = str(open_seals(self._connection, ORG, [event.name])[event.name])


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """One of every public event, sealed as each is."""
    async with a_log(engine_url, types=every_public_event()) as opened:
        for n, example in enumerate(EXAMPLES):
            # The pledge of the examples has one item, and the withdrawal is of another's second.
            is_second = isinstance(example, PledgeWithdrawn)
            event = example.model_copy(update={"items": (0,)}) if is_second else example
            await opened.append(proposed(event, f"{event.type}/{n}"))
        yield opened


def _folded(connection: Connection, log: Log, projections: Sequence[Projection]) -> dict[str, str]:
    """The checksum of each projection, folded anew."""
    create_views(connection, projections)
    connection.execute(delete(checkpoint))
    for projection in projections:
        for view in projection.tables:
            connection.execute(delete(view.stored(projection.version, 1)))
        while project(connection, ORG, projection, log.types):
            pass
    return {projection.name: checksum(connection, ORG, projection) for projection in projections}


def _with_and_without_keys(connection: Connection, log: Log, projections: Sequence[Projection]) -> list[dict[str, str]]:
    assert connection.scalar(select(seal_key.c.subject).limit(1)) is not None
    with_keys = _folded(connection, log, projections)
    for keys in KEY_TABLES:
        connection.execute(delete(keys))
    return [with_keys, _folded(connection, log, projections)]


class TestFolds:
    async def test_every_projection_folds_to_the_same_without_any_key(self, log: Log) -> None:
        before, after = await log.database.write(lambda c: _with_and_without_keys(c, log, list(ALL.values())))
        assert len(before) == len(ALL)
        assert before == after

    async def test_one_that_opened_a_seal_would_be_noticed(self, log: Log) -> None:
        before, after = await log.database.write(lambda c: _with_and_without_keys(c, log, [Peeking(c)]))
        assert before != after


def test_no_fold_can_reach_what_opens_a_seal() -> None:
    """Not even by what it imports; the linter keeps the same rule."""
    graph = grimp.build_graph("avow", "avow_pledge", "avow_evaluation")
    folds = {name for package in (*FOLDS, "avow_evaluation.projections") for name in _with_parts(graph, package)}
    assert len(folds) > 6
    opening = ("avow.eventlog.seals", "avow.eventlog.keys")
    assert [(fold, to) for fold in folds for to in opening if graph.find_shortest_chain(fold, to)] == []
    graph.add_import(importer="avow.eventlog.records", imported="avow.eventlog.seals")
    assert graph.find_shortest_chain("avow_pledge.projections.pledge_wall", "avow.eventlog.seals")


def _with_parts(graph: grimp.ImportGraph, package: str) -> set[str]:
    return {package, *graph.find_descendants(package)}
