"""Avow on a RabbitMQ of three nodes: one is killed under load, and what was confirmed is kept, in its order.

About a minute; `make cluster` runs it, with the other tests of the cluster, alone.
"""

from pathlib import Path

import pytest

from avow.eventlog.database import open_database
from tests.chaos.cluster import Subscriber
from tests.chaos.course import Bounds, chaos
from tests.chaos.faults import in_a_cluster
from tests.chaos.ledger import SERVICES
from tests.chaos.verdict import read_book
from tests.kit.rabbit_cluster import PrivateCluster

pytestmark = pytest.mark.cluster

NODES = 2


async def test_a_node_dies_under_load_and_nothing_confirmed_is_lost_and_everybody_goes_on(tmp_path: Path) -> None:
    subscriber = Subscriber()
    outcome = await chaos(
        "sqlite", 3, in_a_cluster(3, NODES), Bounds(), tmp_path, rabbit=PrivateCluster(), watch=subscriber.watching
    )
    # Both relays have noted everything as confirmed, and both inboxes have imported it.
    assert outcome.verdict.ok, outcome.as_json()
    assert outcome.struck["node_killed"] == NODES
    assert outcome.acknowledged > 100, "hardly anything was published, so nothing was proved"
    published: list[bytes] = []
    for service in SERVICES:
        database = open_database(f"sqlite:///{tmp_path}/{service}.db")
        published += (await database.read(read_book)).public
        await database.close()
    assert set(published) == subscriber.kept
    # The consumers work on: what was delivered is acknowledged.
    assert subscriber.left == dict.fromkeys(SERVICES, 0)
