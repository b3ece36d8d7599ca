"""Three RabbitMQ nodes of the tests' own, which hold a quorum queue together and go on when one of them dies.

The nodes share a port mapper and a cookie, and are otherwise as in `tests/kit/rabbit.py`. They are processes of one
machine: what is played is the death of a node, not of a wire. Proved by `tests/integration/test_private_cluster.py`.
"""

import time
from typing import Self

from tests.kit.rabbit import PrivateRabbit, RabbitFailed, look_up
from tests.kit.rabbit_ground import PortMapper

_SIZE = 3
_AGREED_WITHIN = 60.0


class PrivateCluster:
    """Three nodes between `start()` and `stop()`; also a context manager. Start it from the main thread."""

    def __init__(self) -> None:
        self.mapper = PortMapper()
        names = [f"avow{number}" for number in range(_SIZE)]
        join = {"cluster_formation.peer_discovery_backend": "classic_config"} | {
            f"cluster_formation.classic_config.nodes.{number + 1}": f"{name}@localhost"
            for number, name in enumerate(names)
        }
        # A node that no longer sees the others stops answering instead of going its own way.
        both_or_none = {"cluster_partition_handling": "pause_minority"}
        self.nodes = [
            PrivateRabbit(name, self.mapper, both_or_none | (join if number else {}))
            for number, name in enumerate(names)
        ]

    @property
    def urls(self) -> list[str]:
        """The address of each node, in the virtual host that is there from the beginning."""
        return [node.url for node in self.nodes]

    def start(self) -> None:
        """Returns when the three know each other; raises `RabbitMissing` or `RabbitFailed`."""
        try:
            self.mapper.start()
            first, *others = self.nodes
            first.start()
            for node in others:
                node.begin()
            for node in others:
                node.await_start()
            self._await_all()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends what is left of it; does nothing the second time."""
        for node in self.nodes:
            node.stop()
        self.mapper.stop()

    def kill(self, number: int) -> None:
        """Ends a node at once, as a crash would; its data stay for `revive`."""
        self.nodes[number].kill()

    def revive(self, number: int) -> None:
        """Starts a node again where it was; returns when it takes connections."""
        self.nodes[number].revive()

    def leader_of(self, queue: str, url: str | None = None) -> int:
        """The number of the living node that leads a quorum queue of this address, by default of `urls`.

        It waits until the living have agreed on one; raises `RabbitFailed` if they do not.
        """
        ask = (
            f"{look_up(url or self.urls[0], queue)} {{Name, _}} = amqqueue:get_pid(Q),"
            " {ok, _, {_, Leader}} = ra:members({Name, node()}), Leader"
        )
        deadline = time.monotonic() + _AGREED_WITHIN
        while time.monotonic() < deadline:
            living = {node.node: number for number, node in enumerate(self.nodes) if node.alive}
            said = {_said(self.nodes[number], ask) for number in living.values()}
            if len(said) == 1 and said <= living.keys():
                return living[said.pop()]
            time.sleep(0.1)
        raise RabbitFailed(f"No living node was agreed on to lead {queue}.")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _await_all(self) -> None:
        deadline = time.monotonic() + _AGREED_WITHIN
        while any(node.evaluate("length(rabbit_nodes:all_running())") != str(_SIZE) for node in self.nodes):
            if time.monotonic() > deadline:
                raise RabbitFailed(f"The nodes did not come together:\n{self.nodes[0].ctl('cluster_status')}")
            time.sleep(0.1)


def _said(node: PrivateRabbit, ask: str) -> str:
    try:
        return node.evaluate(ask).strip("'")
    except RabbitFailed:
        return ""
