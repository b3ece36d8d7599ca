"""Rules of the repository itself that no linter knows."""

import re
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 300
MOST_TARGETS = 15


def _sources() -> list[Path]:
    folders = ("shared", "services", "tests", "benchmarks", "deploy")
    return sorted(chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders))


def test_no_python_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in _sources()}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("requirements.lock.txt", 50), ("deploy/requirements.lock.txt", 30), ("deploy/build.lock.txt", 3)],
)
def test_every_locked_package_has_a_version_and_hashes_and_no_address(name: str, at_least: int) -> None:
    lock = (ROOT / name).read_text("utf-8")
    entries = re.split(r"\n(?=[^ \n])", lock.strip())
    assert len(entries) > at_least
    assert [entry for entry in entries if not re.match(r"[a-z0-9._-]+==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in lock


def test_the_makefile_explains_every_target_in_both_languages() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.*## .*[\u4e00-\u9fff].* \| [A-Z]", makefile, re.MULTILINE))
    declared = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert declared is not None
    assert targets == explained == set(declared[1].split())
    assert len(targets) <= MOST_TARGETS
