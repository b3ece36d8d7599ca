"""The AsyncAPI 3.0 document of a service: what it publishes on RabbitMQ and in its feed.

Promises: it is made of the catalogue alone, so it never says anything else; it fits the official schema of AsyncAPI
3.0.0, every reference resolves and every example fits its payload (tests/contract/test_asyncapi.py).
Limit: AMQP bindings know no arguments of queues and no bindings between exchanges; these stand in `x-avow-topology`.
"""

import json
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from avow.contracts import feed_channels, wire
from avow.contracts.entries import Entry, ending_as_json, entries
from avow.contracts.envelope import decode
from avow.contracts.envelope_schema import NAME as ENVELOPE
from avow.contracts.envelope_schema import envelope_schema

Document = dict[str, Any]
PORTS = {"pledge": "8401", "evaluation": "8402"}
TITLES = {"pledge": "承诺 / Pledge", "evaluation": "评议 / Evaluation"}
_BINDING = "0.3.0"
_ORG = {
    "description": "组织的代号。 / The organisation whose book it is.",
    "examples": ["main"],
}


def document(service: str, release: str, catalogue: tuple[Entry, ...] | None = None) -> Document:
    """The document of a service in a release; KeyError for a service there is not."""
    said = [entry for entry in (entries() if catalogue is None else catalogue) if service in entry.services]
    messages = {entry.name: _message(entry) for entry in said}
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:avow:{service}",
        "info": {
            "title": f"Avow · {TITLES[service]}",
            "version": release,
            "description": "公开事件的契约：每个事件是一行 CloudEvents JSON，RabbitMQ 与事件流上相同。"
            "以前版式写下的行仍留在事件流里，其 JSON Schema 在 docs/contracts。\n\n"
            "The contract of the public events: each is one line of CloudEvents JSON, the same on RabbitMQ and in the "
            "feed. Lines written in an earlier schema stay in the feed; its JSON Schema is in docs/contracts.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": wire.CONTENT_TYPE,
        "servers": _servers(service),
        "channels": {entry.event.type: _channel(entry) for entry in said}
        | feed_channels.channels(_reference("messages", name) for name in messages),
        "operations": {f"publish.{entry.event.type}": _publishing(entry) for entry in said}
        | feed_channels.operations(),
        "components": {
            "securitySchemes": {
                "operator": {"type": "http", "scheme": "bearer", "description": "操作员令牌。 / The operator's token."},
                "broker": {"type": "userPassword", "description": "RabbitMQ 的用户。 / A user of RabbitMQ."},
            },
            "messages": messages | {feed_channels.END: feed_channels.end_message()},
            "schemas": _schemas(said),
        },
        "x-avow-topology": _topology(service),
    }


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _servers(service: str) -> Document:
    return {
        "rabbitmq": {
            "host": "{broker}:5672",
            "protocol": "amqp",
            "protocolVersion": "0.9.1",
            "description": "快的一路：事件一到便推送。 / The fast way: events as they come.",
            "variables": {"broker": {"default": "127.0.0.1"}},
            "security": [_reference("securitySchemes", "broker")],
        },
        "feed": {
            "host": "{host}:{port}",
            "protocol": "http",
            "description": "事件流：从任何序号读起，一件不缺；以它为准。 / "
            "The feed: everything, from any sequence; it is the truth.",
            "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": PORTS[service]}},
            "security": [_reference("securitySchemes", "operator")],
        },
    }


def _channel(entry: Entry) -> Document:
    return {
        "address": wire.routing_key("{org}", entry.event.type),
        "title": str(entry.words.name),
        "description": str(entry.words),
        "servers": [{"$ref": "#/servers/rabbitmq"}],
        "messages": {entry.name: _reference("messages", entry.name)},
        "parameters": {"org": _ORG},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": wire.EVENTS, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"},
                "bindingVersion": _BINDING,
            }
        },
    }


def _publishing(entry: Entry) -> Document:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{entry.event.type}"},
        "title": str(entry.words.name),
        "messages": [{"$ref": f"#/channels/{entry.event.type}/messages/{entry.name}"}],
        "bindings": {"amqp": {"deliveryMode": wire.PERSISTENT, "timestamp": True, "bindingVersion": _BINDING}},
    }


def _message(entry: Entry) -> Document:
    envelope = decode(entry.sample)
    described = {
        "name": f"avow.{entry.name}",
        "title": entry.words.name.en,
        "summary": entry.words.name.zh,
        "description": f"{entry.words.zh}\n\n{entry.words.en}",
        "contentType": wire.CONTENT_TYPE,
        "headers": _reference("schemas", "amqp.headers"),
        "payload": _payload(entry),
        "correlationId": {
            "description": "同一请求引起的事件共有。 / What all events of one request have in common.",
            "location": "$message.payload#/correlationid",
        },
        "bindings": {"amqp": {"messageType": f"avow.{entry.name}", "bindingVersion": _BINDING}},
        "examples": [
            {"name": entry.name, "headers": wire.headers(envelope), "payload": json.loads(entry.sample)},
        ],
        "x-avow-since": entry.since,
        "x-avow-earlier": list(entry.earlier),
        "x-amqp-properties": wire.properties(envelope),
    }
    if entry.ending is not None:
        described["x-avow-ending"] = ending_as_json(entry.ending)
    return described


def _payload(entry: Entry) -> Document:
    payload = {
        "allOf": [_reference("schemas", ENVELOPE)],
        "properties": {"type": {"const": f"avow.{entry.name}"}, "data": _reference("schemas", entry.name)},
    }
    return payload if entry.ending is None else payload | {"deprecated": True}


def _schemas(said: list[Entry]) -> Document:
    found = _parts(ENVELOPE, envelope_schema()) | {
        "amqp.headers": {
            "type": "object",
            "description": "重复正文里的话，供路由与工具之用；以正文为准。 / "
            "They repeat the body, for routing and for tools; the body alone counts.",
            "properties": {
                **{f"cloudEvents_{name}": {"type": "string"} for name in ("id", "source", "type", "subject", "time")},
                "cloudEvents_specversion": {"const": "1.0"},
                "cloudEvents_sequence": {"type": "integer", "minimum": 1},
                "traceparent": {"type": "string"},
            },
            "required": [
                f"cloudEvents_{name}" for name in ("id", "source", "type", "subject", "time", "specversion", "sequence")
            ],
        },
        feed_channels.END: feed_channels.END_SCHEMA,
    }
    for entry in said:
        found |= _parts(entry.name, entry.schema)
    return found


def _parts(name: str, schema: JsonSchemaValue) -> Document:
    """A JSON Schema as components: what it defines beside it, every reference led there."""
    plain = {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
    parts = {name: plain} | {f"{name}.{part}": value for part, value in schema.get("$defs", {}).items()}
    moved: Document = json.loads(json.dumps(parts).replace("#/$defs/", f"#/components/schemas/{name}."))
    return moved


def _topology(service: str) -> Document:
    durable = {"type": "topic", "durable": True}
    return {
        "exchanges": {wire.exchange_of(service): durable, wire.EVENTS: durable, wire.DEAD: durable},
        "bindings": [{"from": wire.exchange_of(service), "to": wire.EVENTS, "key": "#"}],
        "subscriber": {
            "queue": wire.queue_of("{name}"),
            "durable": True,
            "arguments": {"x-queue-type": "quorum"},
            "policy": {"overflow": "drop-head"},
            "dead_letters": wire.DEAD,
            "description": "队列由订阅方绑定到 avow.events；长度由策略限制，满了丢最旧的，缺的再从事件流补。 / "
            "A subscriber binds its queue to avow.events. A policy limits its length, and the oldest goes first; "
            "what is missed is read from the feed.",
        },
    }
