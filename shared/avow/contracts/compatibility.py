"""Whether a contract changed by addition only, by its old and its new JSON Schema.

Promises: what `breaks` finds nothing wrong with can be read by whoever was written for the old schema, and old data
still fits the new one (tests/unit/contracts/test_compatibility.py). Limit: it compares what schemas say, not what
their words mean; and it is strict: a wider range of values is a change too, for old readers do not expect it.
"""

from collections.abc import Iterator

from pydantic.json_schema import JsonSchemaValue

_WORDS = frozenset({"$schema", "$id", "title", "description"})
_FOLLOWED = frozenset({"$defs", "$ref", "properties", "required"})


def breaks(old: JsonSchemaValue, new: JsonSchemaValue) -> list[str]:
    """What in the change from `old` to `new` is not an addition, each with its path; nothing if all is."""
    return list(_compare(old, new, old.get("$defs", {}), new.get("$defs", {}), ""))


def _compare(
    old: JsonSchemaValue, new: JsonSchemaValue, olds: JsonSchemaValue, news: JsonSchemaValue, path: str
) -> Iterator[str]:
    old, new = _resolved(old, olds), _resolved(new, news)
    for name, part in old.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        if name not in new.get("properties", {}):
            yield f"{at} is gone"
        else:
            yield from _compare(part, new["properties"][name], olds, news, at)
    required, still = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(required ^ still):
        at = f"{path}.{name}" if path else name
        yield f"{at} is now required" if name in still else f"{at} may now be absent"
    for word in sorted((old.keys() | new.keys()) - _WORDS - _FOLLOWED):
        yield from _compare_word(word, old.get(word), new.get(word), olds, news, path)


def _compare_word(
    word: str, old: object, new: object, olds: JsonSchemaValue, news: JsonSchemaValue, path: str
) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _compare(old, new, olds, news, f"{path}[]")
    elif word == "anyOf" and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _compare(one, other, olds, news, path)
    elif old != new:
        yield f"{path or 'the event'}: {word} was {old!r} and is {new!r}"


def _resolved(schema: JsonSchemaValue, defined: JsonSchemaValue) -> JsonSchemaValue:
    if "$ref" not in schema:
        return schema
    target: JsonSchemaValue = defined[schema["$ref"].removeprefix("#/$defs/")]
    return {**target, **{word: value for word, value in schema.items() if word != "$ref"}}
