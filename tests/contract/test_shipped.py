"""The samples that are installed with the contracts are the golden files, as they would travel."""

import json
from pathlib import Path

import pytest

from avow.contracts import shipped
from avow.contracts.envelope import decode
from tests.kit.write_contracts import GOLDEN, written
from tests.kit.write_shipped import PUBLIC, RECORDED, sample_lines, write_shipped

NAMES = [name.removesuffix(".json") for name in written(GOLDEN) if name.removesuffix(".json") in PUBLIC]


def test_there_is_a_sample_and_a_release_for_every_schema_ever_shipped() -> None:
    assert list(shipped.samples()) == NAMES
    assert list(shipped.since()) == NAMES
    assert set(NAMES) == PUBLIC.keys(), "run `make contracts`"


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_says_what_the_golden_file_says(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    line = json.loads(shipped.samples()[name])
    assert (line["data"], line.get("sealed")) == (golden["data"], golden.get("sealed"))
    assert decode(shipped.samples()[name]).leaf_holds()


def test_the_samples_are_made_of_the_golden_files_to_the_letter() -> None:
    kept = (RECORDED / shipped.SAMPLES).read_bytes().splitlines()
    assert kept == sample_lines(GOLDEN, NAMES), "run `make contracts`"


def test_no_key_is_installed_with_them() -> None:
    keys = [
        key
        for name in NAMES
        for key in json.loads((GOLDEN / f"{name}.json").read_text("utf-8")).get("keys", {}).values()
    ]
    text = "".join(path.read_text("utf-8") for path in RECORDED.iterdir())
    assert keys
    assert [key for key in keys if key in text] == []


def test_what_was_shipped_stays_as_it_is_when_something_is_added(tmp_path: Path) -> None:
    write_shipped(GOLDEN, NAMES[:3], tmp_path)
    before = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    since = json.loads(before[shipped.SINCE])
    (tmp_path / shipped.SINCE).write_text(json.dumps(dict.fromkeys(since, "0.0.1")))
    write_shipped(GOLDEN, NAMES[:5], tmp_path)
    assert (tmp_path / shipped.SAMPLES).read_text("utf-8").startswith(before[shipped.SAMPLES])
    after = json.loads((tmp_path / shipped.SINCE).read_text("utf-8"))
    assert [after[name] for name in NAMES[:3]] == ["0.0.1"] * 3
    assert list(after) == NAMES[:5]
    assert write_shipped(GOLDEN, NAMES[:5], tmp_path) == []
