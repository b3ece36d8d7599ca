"""What stands beside the body on RabbitMQ says nothing the body does not say."""

import json
from uuid import UUID

from msgspec.structs import replace

from avow.bus.publisher import properties_of
from avow.contracts import wire
from avow.contracts.envelope import decode, encode
from avow.contracts.shipped import samples

PLEDGE = decode(samples()["pledge.made.v1"])


def test_headers_repeat_the_body() -> None:
    traced = replace(PLEDGE, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    body = json.loads(encode(traced))
    headers = wire.headers(traced)
    assert headers.pop("traceparent") == body["traceparent"]
    assert headers == {
        f"cloudEvents_{name}": body[name]
        for name in ("specversion", "id", "source", "type", "subject", "time", "sequence")
    }
    assert "traceparent" not in wire.headers(PLEDGE)


def test_properties_repeat_the_body() -> None:
    request = UUID(int=7)
    said = wire.properties(replace(PLEDGE, correlation_id=request))
    assert said == {
        "content_type": "application/cloudevents+json; charset=utf-8",
        "delivery_mode": 2,
        "message_id": str(PLEDGE.event_id),
        "type": "avow.pledge.made.v1",
        "timestamp": 1275381000,
        "correlation_id": str(request),
        "app_id": "avow",
    }
    assert "correlation_id" not in wire.properties(replace(PLEDGE, correlation_id=None))


def test_they_are_what_the_relay_sends() -> None:
    whole = replace(PLEDGE, correlation_id=UUID(int=7), traceparent="00-1-1-01", occurred_at=PLEDGE.recorded_at)
    for envelope in (PLEDGE, whole, replace(PLEDGE, correlation_id=None)):
        sent = properties_of(envelope)
        said = wire.properties(envelope)
        assert sent.timestamp is not None
        assert int(sent.timestamp.timestamp()) == said.pop("timestamp")
        assert sent.headers == wire.headers(envelope)
        # What is absent has no attribute of ours either.
        there = {"type": sent.message_type} | {name: getattr(sent, name) for name in said if name != "type"}
        assert there | {"correlation_id": sent.correlation_id} == {"correlation_id": None} | said


def test_names_are_made_of_what_they_name() -> None:
    assert wire.exchange_of("pledge") == "avow.pledge"
    assert wire.routing_key("demo", "pledge.made") == "demo.pledge.made"
    assert wire.queue_of("honours") == "subscriber.honours"
