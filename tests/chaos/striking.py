"""Carrying out a fault; whoever was struck works again, or is on its way to, when that returns."""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import aio_pika
from aio_pika.exceptions import AMQPError

from avow.contracts.envelope import encode
from avow.contracts.wire import exchange_of
from avow.eventlog import reading
from avow.eventlog.database import open_database
from tests.chaos.callers import ORG, Callers
from tests.chaos.faults import Fault, Kind
from tests.chaos.ledger import SERVICES, Service
from tests.chaos.pair import Pair
from tests.kit.rabbit import PrivateRabbit, RabbitFailed
from tests.kit.rabbit_cluster import PrivateCluster

AGAIN = 200
"""How many events are put on the broker once more."""
_TOPOLOGY_WITHIN = 60.0
_JUNK = (b"", b"\x00\xff" * 40, b"{}", b'{"specversion": "1.0", "sequence": -1}', "不是事件".encode())


class Striker:
    """Strikes a pair; `kills` and `struck` count what was done, `instants` where a service died as it was told."""

    def __init__(self, pair: Pair, callers: Callers, seed: int) -> None:
        self.kills = 0
        self.struck: Counter[Kind] = Counter()
        self.instants: Counter[str] = Counter()
        self._pair = pair
        self._callers = callers
        self._lots = Random(seed)
        self._strikes: dict[Kind, Callable[[Fault], Awaitable[None]]] = {
            "kill": self._kill,
            "kill_at_an_instant": self._kill_at_an_instant,
            "kill_while_it_starts": self._kill_while_it_starts,
            "kill_both": self._kill_both,
            "pause": self._pause,
            "blackhole": self._blackhole,
            "reset": self._reset,
            "queue_deleted": self._delete_queue,
            "doubled": self._publish_again,
            "reordered": self._publish_again,
            "garbage": self._publish_garbage,
            "broker_killed": self._kill_broker,
            "broker_stopped": self._stop_broker,
            "broker_wiped": self._wipe_broker,
            "memory_alarm": self._alarm,
            "database_killed": self._kill_database,
            "node_killed": self._kill_node,
        }

    async def strike(self, fault: Fault) -> None:
        """Let it happen, `after` seconds from the next command on."""
        self._callers.asked.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._callers.asked.wait()
        await asyncio.sleep(fault.after)
        await self._strikes[fault.kind](fault)
        self.struck[fault.kind] += 1

    async def everybody_answers(self) -> None:
        """Wait until both services answer."""
        for service in SERVICES:
            await self._pair.answering(service, self._callers.answers)

    async def _kill(self, fault: Fault) -> None:
        await self._pair.kill(fault.service)
        await self._back(fault.service)

    async def _kill_at_an_instant(self, fault: Fault) -> None:
        if await self._pair.die(fault.service, fault.instant, fault.times, within=fault.lasting):
            self.instants[fault.instant] += 1
        await self._back(fault.service)

    async def _kill_while_it_starts(self, fault: Fault) -> None:
        await self._pair.kill(fault.service)
        self.kills += 1
        await self._pair.start(fault.service)
        await asyncio.sleep(fault.after)
        await self._pair.kill(fault.service)
        await self._back(fault.service)

    async def _kill_both(self, fault: Fault) -> None:
        for service in SERVICES:
            await self._pair.kill(service)
        for service in SERVICES:
            await self._back(service)

    async def _back(self, service: Service) -> None:
        self.kills += 1
        await self._pair.start(service)
        await self._pair.answering(service, self._callers.answers)

    async def _pause(self, fault: Fault) -> None:
        await self._pair.pause(fault.service, fault.lasting)

    async def _blackhole(self, fault: Fault) -> None:
        wire = self._pair.wires[fault.service]
        wire.mode = "blackhole"
        await asyncio.sleep(fault.lasting + 2)
        wire.mode = "ok"
        # What had gone into the hole is gone, and so is whoever waits for it.
        wire.reset()

    async def _reset(self, fault: Fault) -> None:
        self._pair.wires[fault.service].reset()

    async def _delete_queue(self, fault: Fault) -> None:
        with suppress(RabbitFailed):
            await self._at_a_server(lambda: self._node.delete_queue(self._pair.broker, f"{fault.service}.inbox.{ORG}"))

    async def _publish_again(self, fault: Fault) -> None:
        """The last events of a service once more: each twice, or all of them in an order that is drawn."""
        database = open_database(self._pair.databases[fault.service])
        try:
            lines = await database.read(
                lambda connection: [encode(e) for e in reading.envelopes(connection, ORG, 0, 2**53, None, 10**6)]
            )
        finally:
            await database.close()
        last = lines[-AGAIN:]
        again = [line for line in last for _ in range(2)] if fault.kind == "doubled" else last
        if fault.kind == "reordered":
            self._lots.shuffle(again)
        await self._publish(fault.service, again)

    async def _publish_garbage(self, fault: Fault) -> None:
        await self._publish(fault.service, [*_JUNK, self._lots.randbytes(300)])

    async def _publish(self, service: Service, bodies: list[bytes]) -> None:
        """Put bytes on the broker, as soon as there is something to put them on."""
        async with asyncio.timeout(_TOPOLOGY_WITHIN):
            while True:
                try:
                    return await self._publish_now(service, bodies)
                except (AMQPError, OSError):
                    await asyncio.sleep(0.2)

    async def _publish_now(self, service: Service, bodies: list[bytes]) -> None:
        connection = await aio_pika.connect(self._pair.broker, timeout=10)
        try:
            exchange = await (await connection.channel()).get_exchange(exchange_of(service), ensure=False)
            for body in bodies:
                await exchange.publish(aio_pika.Message(body, delivery_mode=2), f"{ORG}.chaos", timeout=10)
        finally:
            await connection.close()

    async def _kill_broker(self, fault: Fault) -> None:
        rabbit = self._node
        # A crash in a queue's first second takes it along (tests/kit/rabbit.py); that is RabbitMQ's, not ours.
        await self._at_a_server(rabbit.settle)
        await self._at_a_server(rabbit.kill)
        await asyncio.sleep(fault.lasting)
        await self._at_a_server(rabbit.revive)

    async def _stop_broker(self, fault: Fault) -> None:
        rabbit = self._node
        await self._at_a_server(lambda: rabbit.kill(signal.SIGTERM))
        await self._at_a_server(rabbit.revive)

    async def _wipe_broker(self, fault: Fault) -> None:
        await self._at_a_server(self._node.wipe)

    async def _alarm(self, fault: Fault) -> None:
        rabbit = self._node
        await self._at_a_server(lambda: rabbit.set_memory_alarm(True))
        await asyncio.sleep(fault.lasting)
        await self._at_a_server(lambda: rabbit.set_memory_alarm(False))

    async def _kill_database(self, fault: Fault) -> None:
        postgres = self._pair.postgres
        assert postgres is not None
        await self._at_a_server(postgres.kill)
        await asyncio.sleep(fault.lasting / 4)
        await self._at_a_server(postgres.revive)
        # One that was starting may have given up without its database.
        await self.everybody_answers()

    async def _kill_node(self, fault: Fault) -> None:
        """The node that leads the queue of a service dies, and comes back."""
        cluster = self._pair.rabbit
        assert isinstance(cluster, PrivateCluster)

        def strike() -> int:
            led = cluster.leader_of(f"{fault.service}.inbox.{ORG}", self._pair.broker)
            cluster.nodes[led].settle()
            cluster.kill(led)
            return led

        led = await self._pair.keeper.do(strike)
        await asyncio.sleep(fault.lasting)
        await self._at_a_server(lambda: cluster.revive(led))

    @property
    def _node(self) -> PrivateRabbit:
        assert isinstance(self._pair.rabbit, PrivateRabbit)
        return self._pair.rabbit

    async def _at_a_server(self, work: Callable[[], None]) -> None:
        await self._pair.keeper.do(work)
