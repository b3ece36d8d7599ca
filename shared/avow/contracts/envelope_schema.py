"""The JSON Schema of the envelope: every attribute a line has, or may have.

Promises: what `decode` reads fits it, and it names just the attributes `encode` can write; it changes by addition only
(tests/contract/test_envelope_schema.py). Limit: whether the leaf holds is not a matter of shape.
"""

from typing import Any

from pydantic.json_schema import JsonSchemaValue

from avow.contracts import words
from avow.contracts.envelope import LAST
from avow.kernel.seal import Seal

VERSION = 1
NAME = f"envelope.v{VERSION}"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": LAST}
_ID: dict[str, Any] = {"type": "string", "pattern": _UUID}
_MOMENT: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}
_REQUIRED: dict[str, dict[str, Any]] = {
    "specversion": {"type": "string", "const": "1.0"},
    "id": _ID,
    "source": {"type": "string", "pattern": f"^/avow/[a-z][a-z0-9-]{{0,31}}/[a-z]+/{_UUID[1:]}"},
    "type": {"type": "string", "pattern": r"^avow\.[a-z_]+(\.[a-z_]+)+\.v[1-9][0-9]{0,3}$"},
    "subject": _TEXT,
    "time": _MOMENT,
    "datacontenttype": {"type": "string", "const": "application/json"},
    "sequence": _COUNT,
    "streamversion": _COUNT,
    "recordedat": _MOMENT,
    "leaf": {"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"},
    "leafsalt": {"type": "string", "pattern": "^[A-Za-z0-9+/]{22}==$"},
    "leafformat": {"type": "integer", "minimum": 1},
    "data": {"type": "object"},
}
_OPTIONAL: dict[str, dict[str, Any]] = {
    "campaign": _TEXT,
    "actor": _TEXT,
    "onbehalfof": _TEXT,
    "correlationid": _ID,
    "causationid": _ID,
    "traceparent": _TEXT,
    "latereason": _TEXT,
    "sealed": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Seal"}},
}


def envelope_schema() -> JsonSchemaValue:
    """The JSON Schema (draft 2020-12) of one line; an attribute it does not name may be there all the same."""
    seal = Seal.model_json_schema()
    seal.pop("additionalProperties")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"avow.{NAME}",
        "title": "Envelope",
        "description": "A public event as it travels: a CloudEvent with everything its leaf was computed from. / "
        "公开事件在线路上的样子：一个 CloudEvent，连同计算其叶散列所用的一切。",
        "type": "object",
        "properties": {
            name: schema | {"description": str(words.of_attribute(name))}
            for name, schema in (_REQUIRED | _OPTIONAL).items()
        },
        "required": list(_REQUIRED),
        "$defs": {"Seal": seal},
    }
