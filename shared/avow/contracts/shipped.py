"""What was ever shipped: a recorded line for every (type, schema), and the release each came with.

Promises: `recorded/samples.ndjson` is made of the golden files and of nothing else, and a line once there stays as it
is (tests/contract/test_shipped.py). Everybody in it is invented, and the seals open with no key that is here.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from avow.contracts.envelope import decode

SAMPLES = "samples.ndjson"
SINCE = "since.json"


@cache
def samples() -> Mapping[str, bytes]:
    """Each line by the name of its schema, such as `pledge.made.v1`, in the order they were shipped in."""
    lines = _read(SAMPLES).encode().splitlines()
    return {f"{envelope.type}.v{envelope.schema}": line for line in lines for envelope in [decode(line)]}


@cache
def since() -> Mapping[str, str]:
    """The release each schema was first shipped with, by its name."""
    found: dict[str, str] = json.loads(_read(SINCE))
    return found


def _read(name: str) -> str:
    return files("avow.contracts").joinpath("recorded", name).read_text("utf-8")
