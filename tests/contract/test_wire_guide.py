"""What the guide to the wire says is so: its code, its attributes and its headers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from avow.contracts import wire
from avow.contracts.ending import LEAST_NOTICE
from avow.contracts.envelope import decode, encode
from avow.contracts.envelope_schema import envelope_schema
from avow.contracts.shipped import samples
from tests.kit.write_contracts import FEED, GOLDEN

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "wire.md").read_text("utf-8")
LINES = [*(GOLDEN / FEED).read_text("utf-8").splitlines(), *(line.decode() for line in samples().values())]


def _section(heading: str) -> str:
    return GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.fixture(scope="module", name="leaf_holds")
def the_guides_own() -> Callable[[str], bool]:
    """The function the guide shows."""
    shown = re.search(r"```python\n(.*?)```", _section("Checking a leaf"), re.DOTALL)
    assert shown is not None
    names: dict[str, Any] = {}
    exec(shown[1], names)
    found: Callable[[str], bool] = names["leaf_holds"]
    return found


@pytest.mark.parametrize("line", LINES)
def test_the_guides_own_code_checks_a_leaf(line: str, leaf_holds: Callable[[str], bool]) -> None:
    assert leaf_holds(line)
    altered = decode(line.encode())
    assert not leaf_holds(encode(replace(altered, data=altered.data[:-1] + b" }")).decode())
    assert not leaf_holds(encode(replace(altered, actor="somebody")).decode())
    assert not leaf_holds(encode(replace(altered, sealed=b"{}")).decode())


def test_the_guide_names_every_attribute() -> None:
    rows = re.findall(r"^\| (`.*?) \|", _section("The envelope"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(envelope_schema()["properties"])


def test_the_guide_names_every_property_and_header() -> None:
    line = decode(samples()["pledge.made.v1"])
    whole = replace(line, correlation_id=UUID(int=1), traceparent="00-1-1-01")
    said = _section("On RabbitMQ")
    rows = re.findall(r"^\| `(\w+)` \|", said, re.MULTILINE)
    assert set(rows) == set(wire.properties(whole))
    assert set(re.findall(r"`(cloudEvents_\w+|traceparent)`", said)) == set(wire.headers(whole))
    for name in (wire.EVENTS, wire.DEAD, wire.exchange_of("pledge"), wire.exchange_of("evaluation"), wire.CONTENT_TYPE):
        assert f"`{name}`" in said


def test_the_guide_promises_the_notice_there_is() -> None:
    assert f"at least {LEAST_NOTICE.days} days ahead" in GUIDE


def test_a_sealed_sample_is_among_what_is_checked() -> None:
    assert any("sealed" in json.loads(line) for line in LINES)
