"""What a queue has delivered is held until it is settled, whoever listens meanwhile."""

from typing import cast

from aio_pika.abc import AbstractIncomingMessage

from avow.bus.inbox import Taken
from avow.bus.queue import Deliveries


class Delivery:
    """A delivery that notes what became of it."""

    def __init__(self, body: bytes, said: list[str]) -> None:
        self.body = body
        self._said = said

    async def ack(self) -> None:
        self._said.append(f"ack {self.body.decode()}")

    async def reject(self, requeue: bool) -> None:
        self._said.append(f"reject {self.body.decode()}")


def a_line(*bodies: bytes) -> tuple[Deliveries, list[str]]:
    """Deliveries with these bodies, and what will become of them."""
    line, said = Deliveries(), list[str]()
    for body in bodies:
        line.put(cast(AbstractIncomingMessage, Delivery(body, said)))
    return line, said


async def test_what_is_committed_is_acknowledged_and_what_is_ahead_is_offered_again_first() -> None:
    line, said = a_line(b"1", b"garbage", b"3")
    assert await line.take(1) == [b"1", b"garbage", b"3"]
    await line.settle(Taken(reached=1, refused={1: "form"}, ahead=frozenset({2})))
    assert said == ["ack 1", "reject garbage"]
    assert await line.take(1) == [b"3"]


async def test_what_was_offered_to_one_who_broke_off_is_offered_to_the_next() -> None:
    line, said = a_line(b"1", b"2")
    await line.take(1)
    await line.close()
    assert said == []
    assert await line.listen(0).take(1) == [b"1", b"2"]
    await line.settle(Taken(imported=2, reached=2))
    assert said == ["ack 1", "ack 2"]


async def test_what_a_broken_connection_had_delivered_is_forgotten() -> None:
    line, said = a_line(b"1")
    await line.take(1)
    line.clear()
    await line.close()
    assert await line.take(0) == []
    await line.settle(Taken())
    assert said == []
