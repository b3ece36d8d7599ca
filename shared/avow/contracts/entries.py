"""The catalogue told to people: each public event with its words, its fields, its example and how it travels.

Promises: everything is derived from the event's class, `words.toml` and what was shipped; nothing is written twice
(tests/unit/contracts/test_entries.py). The page, the text catalogue and the AsyncAPI documents are made of this.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from avow.contracts import shipped, words
from avow.contracts.catalogue import ENDING, PUBLIC_EVENTS, every_public_event, json_schema
from avow.contracts.ending import Ending
from avow.contracts.words import EventWords, Unsaid, Words
from avow.kernel.message import PublicEvent
from avow.kernel.seal import sealed_fields

_KEY = "^[a-z]"
_FORMATS = {"date": "date", "date-time": "date-time", "uuid": "uuid"}


@dataclass(frozen=True)
class Field:
    """A field, by its path from the event: `items[].quantities[].target`, `rows[].grades.*`."""

    path: str
    kind: Words
    words: Words
    required: bool
    sealed: str | None
    """The template of the key's subject."""


@dataclass(frozen=True)
class Entry:
    """What the catalogue says of an event type in its current schema."""

    event: type[PublicEvent]
    services: tuple[str, ...]
    words: EventWords
    fields: tuple[Field, ...]
    schema: JsonSchemaValue
    since: str
    """The release that first shipped this schema."""
    sample: bytes
    """A recorded line, as it travels."""
    ending: Ending | None

    @property
    def name(self) -> str:
        """The name of its schema: `pledge.made.v1`."""
        return schema_name(self.event)

    @property
    def earlier(self) -> tuple[str, ...]:
        """The schemas of this type that are no longer written, and read for ever."""
        return tuple(schema_name(self.event, n) for n in range(1, self.event.schema_version))

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "type": self.event.type,
            "schema": self.event.schema_version,
            "services": list(self.services),
            "name": {"zh": self.words.name.zh, "en": self.words.name.en},
            "description": {"zh": self.words.zh, "en": self.words.en},
            "since": self.since,
            "ending": None if self.ending is None else ending_as_json(self.ending),
            "earlier": list(self.earlier),
            "sealed": {field.path: field.sealed for field in self.fields if field.sealed},
            "json_schema": self.schema,
            "example": json.loads(self.sample),
        }


def schema_name(event: type[PublicEvent], schema: int | None = None) -> str:
    """The name of a schema of an event type; of its current one by default."""
    return f"{event.type}.v{schema or event.schema_version}"


def ending_as_json(ending: Ending) -> dict[str, str | None]:
    """An announced end, for a program."""
    return {"since": ending.since.isoformat(), "until": ending.until.isoformat(), "successor": ending.successor}


def entries(ending: Mapping[type[PublicEvent], Ending] = ENDING) -> tuple[Entry, ...]:
    """The catalogue, in its order; raises Unsaid for what has no words, KeyError for what was never shipped."""
    return tuple(entry(event, ending.get(event)) for event in every_public_event())


def entry(event: type[PublicEvent], ending: Ending | None = None) -> Entry:
    """What the catalogue says of one event type."""
    said = words.of_event(event)
    if said is None:
        raise Unsaid(f"words.toml says nothing of the event {event.type}")
    schema, name = json_schema(event), schema_name(event)
    return Entry(
        event=event,
        services=tuple(service for service, events in PUBLIC_EVENTS.items() if event in events),
        words=said,
        fields=tuple(_fields(event.type, schema, schema.get("$defs", {}), "", _seals(event))),
        schema=schema,
        since=shipped.since()[name],
        sample=shipped.samples()[name],
        ending=ending,
    )


def _seals(event: type[PublicEvent]) -> Mapping[str, str]:
    return {name: mark.template for name, mark in sealed_fields(event).items()}


def _fields(
    owner: str, part: JsonSchemaValue, defined: JsonSchemaValue, path: str, seals: Mapping[str, str]
) -> Iterator[Field]:
    for name, schema in part.get("properties", {}).items():
        said = words.of_field(owner, name)
        if said is None:
            raise Unsaid(f"words.toml says nothing of {owner}.{name}")
        at = f"{path}.{name}" if path else name
        seal = seals.get(at)
        yield Field(at, _kind(schema), said, name in part.get("required", ()), seal)
        for below, value in _values(schema, at):
            yield from _fields(value, defined[value], defined, below, {})


def _values(schema: JsonSchemaValue, path: str) -> Iterator[tuple[str, str]]:
    """The values a field may hold, each with the path of its fields: by reference, in a list, in a mapping."""
    if "$ref" in schema:
        yield path, _target(schema)
    for kind in schema.get("anyOf", ()):
        yield from _values(kind, path)
    if "items" in schema:
        yield from _values(schema["items"], f"{path}[]")
    for mapped in _mapped(schema):
        yield from _values(mapped, f"{path}.*")


def _mapped(schema: JsonSchemaValue) -> list[JsonSchemaValue]:
    """What a mapping holds, whatever its keys; nothing where that is anything, or no mapping is."""
    held = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    return [kind for kind in held if isinstance(kind, dict)]


def _target(schema: JsonSchemaValue) -> str:
    return str(schema["$ref"]).removeprefix("#/$defs/")


def _kind(schema: JsonSchemaValue) -> Words:
    if "anyOf" in schema:
        kinds = [_kind(kind) for kind in schema["anyOf"] if kind.get("type") != "null"]
        either = Words("或".join(kind.zh for kind in kinds), " or ".join(kind.en for kind in kinds))
        nullable = len(kinds) < len(schema["anyOf"])
        return Words(f"{either.zh}，可空", f"{either.en} or null") if nullable else either
    if "enum" in schema or "const" in schema:
        choices = schema.get("enum") or [schema["const"]]
        return Words("、".join(f"`{one}`" for one in choices), ", ".join(f"`{one}`" for one in choices))
    if schema.get("type") == "array":
        inner = _kind(schema.get("items", {}))
        return Words(f"列表：{inner.zh}", f"list of {inner.en}")
    if mapped := _mapped(schema):
        inner = _kind(mapped[0])
        return Words(f"每个代号：{inner.zh}", f"by key: {inner.en}")
    return words.of_kind(_plain_kind(schema))


def _plain_kind(schema: JsonSchemaValue) -> str:
    if "$ref" in schema:
        return "object"
    pattern = str(schema.get("pattern", ""))
    if schema.get("type") != "string":
        return str(schema.get("type", "any"))
    if "format" in schema:
        return _FORMATS.get(schema["format"], "string")
    if pattern.startswith("^[0-9a-f]{8}-"):
        return "uuid"
    if pattern.startswith("^-?[0-9]"):
        return "decimal"
    return "key" if pattern.startswith(_KEY) else "string"
