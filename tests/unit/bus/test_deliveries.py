"""A delivery is acknowledged once its event is committed, or once it is kept as a dead letter; never before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from avow.bus.queue import Deliveries
from avow.bus.taken import Taken
from avow.eventlog.dead_letters import Letter

QUEUE = "evaluation.inbox.demo"
NAME = "钟若岚"


@dataclass
class Delivery:
    """A message as the broker's client gives it."""

    body: bytes
    exchange: str = "avow.pledge"
    routing_key: str = "demo.pledge.made"
    message_id: str | None = "00000000-0000-4000-8000-000000000001"
    said: list[str] = field(default_factory=list)
    before: "list[Delivery]" = field(default_factory=list)
    """What was delivered before it on the same channel."""

    async def ack(self, multiple: bool = False) -> None:
        for delivery in (*(self.before if multiple else ()), self):
            if not delivery.said:
                delivery.said.append("ack")


class Yard:
    """Where dead letters are kept, if it can."""

    def __init__(self) -> None:
        self.kept: list[Letter] = []
        self.full = False

    async def __call__(self, letters: Sequence[Letter]) -> None:
        if self.full:
            raise ConnectionError
        self.kept += letters


@pytest.fixture
def yard() -> Yard:
    return Yard()


def a_line(yard: Yard, *deliveries: Any) -> Deliveries:
    line = Deliveries(QUEUE, yard)
    for place, delivery in enumerate(deliveries):
        delivery.before = list(deliveries[:place])
        line.put(delivery)
    return line


async def test_garbage_is_kept_and_then_acknowledged_like_everything_else(yard: Yard) -> None:
    good, bad, early = Delivery(b"1"), Delivery(b"\xff"), Delivery(b"3")
    line = a_line(yard, good, bad, early)
    assert await line.take(0) == [b"1", b"\xff", b"3"]
    await line.settle(Taken(imported=1, refused={1: "form"}, ahead=frozenset({2})))
    assert (good.said, bad.said, early.said) == (["ack"], ["ack"], [])
    (letter,) = yard.kept
    assert (letter.kind, letter.reason, letter.origin, letter.body) == (
        "garbage", "form", f"{QUEUE} < avow.pledge", b"\xff",
    )  # fmt: skip
    assert (letter.routing_key, letter.message_id) == (bad.routing_key, bad.message_id)
    assert await line.take(0) == [b"3"]


async def test_what_cannot_be_kept_is_not_acknowledged_and_is_offered_again(yard: Yard) -> None:
    good, bad = Delivery(b"1"), Delivery(b"\xff")
    line = a_line(yard, good, bad, Delivery(b"later"))
    yard.full = True
    assert len(await line.take(0) or []) == 3
    refused = Taken(imported=2, refused={1: "form"})
    with pytest.raises(ConnectionError):
        await line.settle(refused)
    assert (good.said, bad.said) == ([], [])
    yard.full = False
    await line.close()
    assert await line.listen(0).take(0) == [b"1", b"\xff", b"later"]
    await line.settle(refused)
    assert (good.said, bad.said) == (["ack"], ["ack"])
    assert await line.take(0) == []


@pytest.mark.parametrize("forged", [f"demo.{NAME}", NAME, "demo", "demo.UPPER.case", "demo." + "x" * 500])
async def test_a_key_or_an_id_that_is_not_of_our_form_is_not_told(yard: Yard, forged: str) -> None:
    line = a_line(yard, Delivery(b"\xff", exchange=f"an exchange of {NAME}", routing_key=forged, message_id=forged))
    await line.take(0)
    await line.settle(Taken(refused={0: "form"}))
    (letter,) = yard.kept
    assert (letter.origin, letter.routing_key, letter.message_id) == (QUEUE, None, None)


async def test_what_is_held_is_not_acknowledged_along_with_what_came_after_it(yard: Yard) -> None:
    early, first, second = Delivery(b"3"), Delivery(b"1"), Delivery(b"2")
    put: Any
    line, put = a_line(yard, early, first), second
    assert await line.take(0) == [b"3", b"1"]
    await line.settle(Taken(imported=1, ahead=frozenset({0})))
    assert (early.said, first.said) == ([], ["ack"])
    second.before = [early, first]
    line.put(put)
    assert await line.take(0) == [b"3", b"2"]
    await line.settle(Taken(imported=2))
    assert (early.said, second.said) == (["ack"], ["ack"])


async def test_what_was_offered_to_one_who_broke_off_is_offered_to_the_next(yard: Yard) -> None:
    first, second = Delivery(b"1"), Delivery(b"2")
    line = a_line(yard, first, second)
    await line.take(0)
    await line.close()
    assert first.said == []
    assert await line.listen(0).take(0) == [b"1", b"2"]
    await line.settle(Taken(imported=2, reached=2))
    assert (first.said, second.said) == (["ack"], ["ack"])


async def test_what_a_broken_connection_had_delivered_is_forgotten(yard: Yard) -> None:
    delivery = Delivery(b"1")
    line = a_line(yard, delivery)
    await line.take(0)
    line.clear()
    await line.close()
    assert await line.take(0) == []
    await line.settle(Taken())
    assert delivery.said == []
