"""The names on RabbitMQ, and what stands beside the body there: AMQP 0-9-1 properties and headers.

Promises: they say nothing the body does not say; the body alone counts (tests/unit/contracts/test_wire.py).
"""

from avow.contracts import moment
from avow.contracts.envelope import Envelope

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
APP = "avow"
EVENTS = "avow.events"
"""The exchange subscribers bind their queues to."""
DEAD = "avow.dead"
"""The exchange of what could not be taken in."""
PERSISTENT = 2


def exchange_of(service: str) -> str:
    """The exchange a service publishes to; everything there goes on to `EVENTS`."""
    return f"avow.{service}"


def routing_key(org: str, type: str) -> str:
    """The routing key of an event type in an organisation: `demo.pledge.made`."""
    return f"{org}.{type}"


def queue_of(subscriber: str) -> str:
    """The queue of a subscriber."""
    return f"subscriber.{subscriber}"


def dead_queue(service: str) -> str:
    """Where the broker lays what it gives up of a service's deliveries."""
    return f"{service}.dead"


def properties(envelope: Envelope) -> dict[str, str | int]:
    """The AMQP properties of a message: `timestamp` in whole seconds since 1970."""
    said: dict[str, str | int] = {
        "content_type": CONTENT_TYPE,
        "delivery_mode": PERSISTENT,
        "message_id": str(envelope.event_id),
        "type": _type(envelope),
        "timestamp": int(envelope.occurred_at.timestamp()),
        "app_id": APP,
    }
    return said if envelope.correlation_id is None else said | {"correlation_id": str(envelope.correlation_id)}


def headers(envelope: Envelope) -> dict[str, str | int]:
    """The AMQP headers of a message."""
    said: dict[str, str | int] = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": str(envelope.event_id),
        "cloudEvents_source": f"/avow/{envelope.org}/{envelope.service}/{envelope.log_id}",
        "cloudEvents_type": _type(envelope),
        "cloudEvents_subject": envelope.stream,
        "cloudEvents_time": moment.to_text(envelope.occurred_at),
        "cloudEvents_sequence": envelope.sequence,
    }
    return said if envelope.traceparent is None else said | {"traceparent": envelope.traceparent}


def _type(envelope: Envelope) -> str:
    return f"avow.{envelope.type}.v{envelope.schema}"
