"""A broker as RabbitMQ is one with quorum queues: what is confirmed survives every process, what is not acknowledged
comes again, one consumer at a time; connections die with or without a word, outages last, and may take the queues.

Promises: nothing is lost but with a connection or with a queue; what is published at once is stored in any order, and
delivered in the order of the queue. It watches the promises of
those who use it: an acknowledgement before the commit, and publishing long after the place
was lost are noted as wrong.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from avow.bus.topology import PREFETCH
from tests.simulation.weather import Weather
from tests.simulation.world import Life, World

NOTICED = 20.0
"""Seconds after which the heartbeat finds a connection dead."""


@dataclass(frozen=True)
class Message:
    """What a queue holds; `sequence` is None where it is no sound event."""

    body: bytes
    sequence: int | None


class Connection:
    """One connection of a life to the broker, and its one channel."""

    def __init__(self, broker: "Broker", life: Life, lost: Callable[[], None]) -> None:
        self.open = True
        self.dead = False
        """Open, and nothing arrives any more."""
        self.life = life
        self.held: dict[int, Message] = {}
        """What was delivered and is not acknowledged."""
        self.under_way: deque[int] = deque()
        self.broker = broker
        self._lost = lost

    def carries(self) -> bool:
        """Whether a frame arrives; it may be the one with which the connection dies."""
        broker = self.broker
        if self.open and not self.dead and broker.weather.strikes(broker.chance, broker.weather.cut):
            self.cut()
        return self.open and not self.dead

    def cut(self) -> None:
        """Die without a word; the heartbeat finds out later."""
        self.dead = True
        self.broker.world.seen["connection dead"] += 1
        self.broker.world.note("broker", f"the connection of {self.life.name} is dead")
        self.broker.world.loop.call_later(self.broker.chance.uniform(0.5, NOTICED), self.close)

    def close(self) -> None:
        """End; what it held goes back to the head of its queue."""
        if not self.open:
            return
        self.open = False
        self.broker.forget(self)
        self._lost()


class Queue:
    """The inbox of one service."""

    def __init__(self) -> None:
        self.ready: deque[Message] = deque()
        self.consumers: list[tuple[Connection, Callable[[int, Message], None]]] = []

    def depth(self) -> int:
        """How many messages it holds, delivered ones too."""
        return len(self.ready) + sum(len(connection.held) for connection, _ in self.consumers)


class Broker:
    """The queues by the service that publishes into each, and what each service was told is safe."""

    def __init__(self, world: World, weather: Weather) -> None:
        self.world, self.weather = world, weather
        self.chance: Random = world.chance("broker")
        self.queues: dict[str, Queue] = {}
        self.confirmed: dict[str, set[int]] = {}
        """The sequences each service was given an answer for."""
        self.imported: dict[str, Callable[[], int]] = {}
        """How far the events of a service are committed at its reader."""
        self.buried: dict[str, Callable[[bytes], bool]] = {}
        """Whether the reader of a service's events keeps this as a dead letter."""
        self.published: Callable[[Life], None] = lambda _: None
        """Hears of each life that publishes, before it does."""
        self.down_until = 0.0
        self._connections: list[Connection] = []
        self._tags = 0

    @property
    def down(self) -> bool:
        return self.world.loop.time() < self.down_until

    def connect(self, life: Life, lost: Callable[[], None]) -> Connection:
        """A new connection."""
        connection = Connection(self, life, lost)
        self._connections.append(connection)
        return connection

    def outage(self, seconds: float, wiped: bool) -> None:
        """Be away, and forget every queue if `wiped`."""
        self.world.note("broker", f"away for {seconds:.1f} s{', all queues lost' if wiped else ''}")
        self.world.seen["broker away, wiped" if wiped else "broker away"] += 1
        self.down_until = max(self.down_until, self.world.loop.time() + seconds)
        for connection in list(self._connections):
            if self.chance.random() < 0.8:
                connection.close()
            else:
                connection.cut()
        if wiped:
            for connection in self._connections:
                connection.held.clear()
            self.queues.clear()

    def gone(self, life: Life) -> None:
        """A process is no more; the broker hears of it at once, or by the heartbeat."""
        for connection in [each for each in self._connections if each.life is life]:
            if self.chance.random() < 0.7:
                connection.close()
            elif not connection.dead:
                connection.cut()

    def forget(self, connection: Connection) -> None:
        """A connection is closed: what it held is to be delivered again."""
        self._connections.remove(connection)
        for service, queue in self.queues.items():
            mine = [each for each in queue.consumers if each[0] is connection]
            if mine:
                queue.consumers.remove(mine[0])
                queue.ready.extendleft(reversed(connection.held.values()))
                self.pump(service)

    def consume(self, connection: Connection, source: str, arrives: Callable[[int, Message], None]) -> None:
        """Deliver what a service publishes; the queue is made if it is not there."""
        queue = self.queues.setdefault(source, Queue())
        queue.consumers.append((connection, arrives))
        self.pump(source)

    def store(self, source: str, body: bytes, sequence: int | None) -> bool:
        """Put a message into the queue of what `source` publishes; False if there is none."""
        queue = self.queues.get(source)
        if queue is None:
            return False
        queue.ready.append(Message(body, sequence))
        self.pump(source)
        return True

    def pump(self, source: str) -> None:
        """Send on what may be sent, to the one active consumer."""
        queue = self.queues[source]
        if not queue.consumers:
            return
        connection, arrives = queue.consumers[0]
        while queue.ready and len(connection.held) < PREFETCH:
            self._tags += 1
            message = queue.ready.popleft()
            connection.held[self._tags] = message
            if connection.carries():
                connection.under_way.append(self._tags)
                self.world.loop.call_later(self.delay(), self._arrive, connection, arrives)

    def _arrive(self, connection: Connection, arrives: Callable[[int, Message], None]) -> None:
        """What was sent first arrives first: it is one channel, and an acknowledgement may name all up to one."""
        tag = connection.under_way.popleft()
        message = connection.held.get(tag)
        if message is not None and connection.open and not connection.dead:
            self.world.note("broker", f"delivers {message.sequence} to {connection.life.name}")
            self.world.seen["delivered"] += 1
            arrives(tag, message)

    def delay(self) -> float:
        """Seconds a frame is under way."""
        return self.chance.expovariate(1 / self.weather.spread)

    def acknowledge(self, connection: Connection, source: str, tag: int) -> None:
        """A consumer is done with a delivery, which must be committed there, as an event or as a dead letter."""
        message = connection.held.get(tag)
        if message is None:
            return
        name = connection.life.name
        if message.sequence is None:
            self.world.seen["garbage"] += 1
            if not self.buried[source](message.body):
                self.world.fail(f"{name} acknowledged what is no event before it was kept as a dead letter")
        elif self.imported[source]() < message.sequence:
            self.world.fail(f"{name} acknowledged {message.sequence} before it was committed")
        if connection.carries():
            del connection.held[tag]
            self.pump(source)
