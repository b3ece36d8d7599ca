"""The relay: everything public reaches the broker, in order, whatever happens to the broker and to the relay."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest
from sqlalchemy import Connection, update

from avow.bus import place, publisher
from avow.bus.publisher import connect
from avow.bus.relay import BrokerUnavailable, Publishing, Relay
from avow.contracts import wire
from avow.contracts.envelope import decode
from tests.kit.logs import ORG
from tests.kit.transports import Line, a_line, until
from tests.unit.bus.serving import lines_of, say, talk

QUEUE = "ours"


@pytest.fixture
async def line(tmp_path: Path, amqp_url: str) -> AsyncIterator[Line]:
    async with a_line("rabbitmq", tmp_path, amqp_url) as opened:
        yield opened


async def catching(line: Line, key: str = "#") -> None:
    """A queue that holds what subscribers would get from now on."""
    connection = await connect(line.amqp_url, "test")
    try:
        channel = await connection.channel()
        events = await channel.declare_exchange(wire.EVENTS, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(events, key)
    finally:
        await connection.close()


async def caught(line: Line, count: int) -> list[aio_pika.abc.AbstractIncomingMessage]:
    """The messages the queue holds, once there are so many."""
    connection = await connect(line.amqp_url, "test")
    found: list[aio_pika.abc.AbstractIncomingMessage] = []
    try:
        queue = await (await connection.channel()).get_queue(QUEUE)
        async with asyncio.timeout(60):
            while len(found) < count:
                message = await queue.get(no_ack=True, fail=False)
                if message is None:
                    await asyncio.sleep(0.05)
                else:
                    found.append(message)
    finally:
        await connection.close()
    return found


async def confirmed(relay: Relay | None, line: Line) -> None:
    """Wait until the broker has everything."""
    assert relay is not None
    head = len(await lines_of(line.source))
    await until(lambda: relay.status.confirmed == head)


async def test_what_is_published_is_the_feeds_line_in_order_persistent_and_described(line: Line) -> None:
    await catching(line)
    await say(line.source, *range(250))
    async with line.relaying() as relay:
        await confirmed(relay, line)
    lines = await lines_of(line.source)
    messages = await caught(line, len(lines))
    assert [message.body for message in messages] == lines
    for message in messages:
        envelope = decode(message.body)
        assert message.routing_key == f"{ORG}.{envelope.type}"
        assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert (message.message_id, message.app_id) == (str(envelope.event_id), "avow")
        assert wire.headers(envelope).items() <= message.headers.items()


async def test_what_no_queue_wants_is_counted_and_passed_over(line: Line) -> None:
    await say(line.source, *range(9))
    async with line.relaying() as relay:
        await confirmed(relay, line)
        assert relay is not None
        assert relay.status.unrouted == 10
        await catching(line)
        await say(line.source, 9)
        await confirmed(relay, line)
        assert relay.status.unrouted == 10
    assert [decode(message.body).sequence for message in await caught(line, 1)] == [11]


async def test_it_goes_on_where_the_broker_confirmed_and_not_where_it_read(line: Line) -> None:
    await catching(line)
    await say(line.source, *range(40))
    async with line.relaying() as relay:
        await confirmed(relay, line)
    noted = await line.source.database.write(lambda connection: place.read(connection, ORG))
    assert (noted.sequence, noted.holder) == (41, None)
    await say(line.source, 40)
    async with line.relaying() as relay:
        await confirmed(relay, line)
    assert [decode(message.body).sequence for message in await caught(line, 42)] == list(range(1, 43))


async def test_one_of_two_publishes_and_the_other_takes_over_when_it_ends(line: Line) -> None:
    async with line.relaying() as first:
        assert first is not None
        await until(lambda: first.status.state == "publishing")
        async with line.relaying() as second:
            assert second is not None
            await until(lambda: second.status.state == "standby")
            await talk(line.source, range(30))
            await confirmed(first, line)
            assert second.status.confirmed == 0
            await first.stop()
            await say(line.source, 30)
            await confirmed(second, line)
            assert second.status.state == "publishing"


async def test_one_that_lost_its_place_publishes_no_more(line: Line) -> None:
    async with line.relaying() as relay:
        assert relay is not None
        await until(lambda: relay.status.state == "publishing")

        def give_to_another(connection: Connection) -> None:
            connection.execute(update(place.relay).values(holder=line.ports.new_id(), beat=place.relay.c.beat + 1))

        await line.source.database.write(give_to_another)
        await until(lambda: relay.status.state == "standby")
        # Whoever took it shows no sign of life, so after a while it is free.
        await say(line.source, 1)
        await confirmed(relay, line)


class NoBroker:
    """A broker that is not there."""

    async def connect(self) -> Publishing:
        raise BrokerUnavailable("nowhere")


async def test_one_that_cannot_reach_the_broker_keeps_its_place_so_that_it_is_the_one_found_wanting(line: Line) -> None:
    first, second = (Relay(NoBroker(), line.source.database, ORG, line.source.grown, line.ports) for _ in range(2))
    first.start()
    await until(lambda: first.status.state == "unavailable")
    second.start()
    try:
        await until(lambda: second.status.state == "standby")
        # Several tries of the first, and looks of the second.
        for _ in range(40):
            await asyncio.sleep(0.1)
            assert (first.status.state, second.status.state) == ("unavailable", "standby")
    finally:
        await second.stop()
        await first.stop()


async def test_one_that_is_stopped_while_it_connects_leaves_no_connection_and_no_place(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[aio_pika.abc.AbstractConnection] = []

    async def declare_for_ever(connection: aio_pika.abc.AbstractConnection, *_: str) -> None:
        connections.append(connection)
        await asyncio.Event().wait()

    monkeypatch.setattr(publisher, "declare", declare_for_ever)
    async with line.relaying():
        await until(lambda: len(connections) == 1)
    assert connections[0].is_closed
    noted = await line.source.database.write(lambda connection: place.read(connection, ORG))
    assert noted.holder is None
