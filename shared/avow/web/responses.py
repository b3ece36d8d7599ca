"""How routes state their error answers in OpenAPI, so that a client and a fuzzer can hold us to them.

`FastAPI(responses=READ_RESPONSES)` or `@router.post(…, responses=COMMAND_RESPONSES | responses(410))`.
"""

from typing import Any

from pydantic.json_schema import models_json_schema

from avow.web.catalogue import phrases
from avow.web.problem import PROBLEM_TYPE, Problem

Responses = dict[int | str, dict[str, Any]]
_REF = "#/components/schemas/{model}"


def responses(*statuses: int) -> Responses:
    """These statuses, each answered with a problem; KeyError for one that has no title in `phrases.toml`."""
    return {
        status: {
            "description": phrases("title")[str(status)].en,
            "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}},
        }
        for status in statuses
    }


READ_RESPONSES = responses(401, 403, 404, 409, 422, 500, 503, 507)
COMMAND_RESPONSES = responses(400, 401, 403, 404, 409, 413, 415, 422, 500, 503, 507)


def problem_schemas() -> dict[str, Any]:
    """The schemas the references point to, by name."""
    _, schema = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    return dict(schema["$defs"])
