"""The AsyncAPI documents: up to date, what the specification asks for, and true to what travels."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from avow.bus import format as feed_format
from avow.bus.feed import FeedSource, feed_router
from avow.contracts import feed_channels, wire
from avow.contracts.asyncapi import document
from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.contracts.envelope import decode
from tests.kit.write_contracts import SCHEMAS
from tests.kit.write_documents import documents, release

OFFICIAL = Path(__file__).parent / "asyncapi"
MANIFEST = json.loads((OFFICIAL / "manifest.json").read_text("utf-8"))
SPECIFICATION = jsonschema_rs.Draft7Validator(json.loads((OFFICIAL / "3.0.0.json").read_text("utf-8")))
every_service = pytest.mark.parametrize("service", PUBLIC_EVENTS)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _references(part)


def _at(said: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        said = said[step]
    return said


def _payload(said: dict[str, Any], name: str) -> jsonschema_rs.Validator:
    schema = said["components"]["messages"][name]["payload"]
    return jsonschema_rs.Draft7Validator({"allOf": [schema], "components": said["components"]})


def test_the_official_schema_is_the_one_the_manifest_states() -> None:
    there = {path.name: path for path in OFFICIAL.iterdir() if path.name != "manifest.json"}
    assert {name: sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == MANIFEST["files"]


@pytest.mark.parametrize("name", documents())
def test_what_is_written_is_up_to_date(name: str) -> None:
    assert (SCHEMAS / name).read_text("utf-8") == documents()[name], "run `make contracts`"


@every_service
def test_a_document_is_what_the_specification_asks_for(service: str) -> None:
    said = document(service, release())
    assert [str(error.message) for error in SPECIFICATION.iter_errors(said)] == []
    # The schema itself can tell.
    assert not SPECIFICATION.is_valid({key: value for key, value in said.items() if key != "info"})
    assert not SPECIFICATION.is_valid(said | {"channels": {"a": {"bindings": {"amqp": {"is": "routingKey"}}}}})


@every_service
def test_every_reference_leads_somewhere(service: str) -> None:
    said = document(service, release())
    references = set(_references(said))
    assert len(references) > 30
    for reference in references:
        assert reference.startswith("#/")
        assert _at(said, reference) is not None


@every_service
def test_no_two_messages_or_operations_are_called_alike(service: str) -> None:
    said = document(service, release())
    names = [message["name"] for message in said["components"]["messages"].values()]
    addresses = [channel["address"] for channel in said["channels"].values()]
    assert len(names) == len(set(names))
    assert len(addresses) == len(set(addresses))


@every_service
def test_an_operation_sends_what_its_channel_carries(service: str) -> None:
    said = document(service, release())
    for operation in said["operations"].values():
        channel = operation["channel"]["$ref"]
        assert channel.startswith("#/channels/")
        for message in operation.get("messages", ()):
            assert message["$ref"].startswith(f"{channel}/messages/")


@every_service
def test_every_public_event_has_a_channel_its_service_publishes_to(service: str) -> None:
    said = document(service, release())
    on_amqp = {name: c for name, c in said["channels"].items() if "amqp" in c.get("bindings", {})}
    assert {name: channel["address"] for name, channel in on_amqp.items()} == {
        event.type: f"{{org}}.{event.type}" for event in PUBLIC_EVENTS[service]
    }
    assert {channel["bindings"]["amqp"]["exchange"]["name"] for channel in on_amqp.values()} == {wire.EVENTS}
    assert said["x-avow-topology"]["bindings"] == [{"from": f"avow.{service}", "to": "avow.events", "key": "#"}]


@every_service
def test_every_example_fits_its_payload_and_its_headers(service: str) -> None:
    said = document(service, release())
    headers = jsonschema_rs.Draft7Validator(said["components"]["schemas"]["amqp.headers"])
    for name, message in said["components"]["messages"].items():
        for example in message["examples"]:
            _payload(said, name).validate(example["payload"])
            if "headers" in example:
                headers.validate(example["headers"])
                envelope = decode(json.dumps(example["payload"]).encode())
                assert example["headers"] == wire.headers(envelope)


@every_service
def test_a_payload_tells_one_event_from_another(service: str) -> None:
    said = document(service, release())
    messages = said["components"]["messages"]
    for name, message in messages.items():
        example = message["examples"][0]["payload"]
        assert [other for other in messages if _payload(said, other).is_valid(example)] == [name]


def test_the_feed_is_described_as_it_answers() -> None:
    source: Any = FeedSource.__new__(FeedSource)
    routes = {route.path: route for route in feed_router(source).routes if isinstance(route, APIRoute)}
    channels = document("pledge", release())["channels"]
    operations = feed_channels.operations()
    for name in ("feed", "feed.live"):
        route = routes[channels[name]["address"]]
        query = operations[f"serve.{name}"]["bindings"]["http"]["query"]["properties"]
        assert set(query) == {field.name for field in route.dependant.query_params}
        for field in route.dependant.query_params:
            if field.default is not None:
                assert query[field.name]["default"] == field.default
    assert channels["feed"]["x-media-type"] == feed_format.NDJSON
    assert channels["feed.live"]["x-media-type"] == feed_format.EVENT_STREAM
    end = feed_format.PageEnd.model_json_schema()
    assert set(feed_channels.END_SCHEMA["properties"]) == set(end["properties"]) == set(end["required"])
