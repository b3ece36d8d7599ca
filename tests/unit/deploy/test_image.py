"""deploy/Dockerfile, read without Docker."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.kit.set_up import DEPLOY

ROOT = DEPLOY.parent
LINES = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text("utf-8")).splitlines()


def said(instruction: str) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", path.read_text("utf-8"), re.MULTILINE))


def test_it_is_built_in_one_stage_and_runs_in_another_from_the_same_pinned_image() -> None:
    build, run = said("FROM")
    assert build == f"{run} AS build"
    assert re.fullmatch(r"python:3\.\d+-slim", run)


def test_it_does_not_run_as_root() -> None:
    last = LINES[max(n for n, line in enumerate(LINES) if line.startswith("FROM")) :]
    (user,) = (line.removeprefix("USER ") for line in last if line.startswith("USER "))
    assert user.isdecimal()
    assert int(user) > 1000
    assert not any(line.startswith("RUN") for line in last[last.index(f"USER {user}") :])


def test_every_download_is_checked_against_its_hash() -> None:
    installs = [
        part for line in said("RUN") for part in line.split("&&") if "pip install" in part or "pip wheel" in part
    ]
    assert len(installs) == 4
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)
    assert all("--no-deps" in part for part in installs)


def test_nothing_of_the_outside_is_named_and_no_secret_goes_in() -> None:
    text = "\n".join(LINES)
    assert "://" not in text
    assert "ADD " not in text
    assert not re.search(r"secret|password|token", text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["requirements.lock.txt", "build.lock.txt"])
def test_the_image_has_the_versions_that_were_tested(name: str) -> None:
    tested = locked(ROOT / "requirements.lock.txt")
    installed = locked(DEPLOY / name)
    assert installed
    assert {package: version for package, version in installed.items() if tested.get(package) != version} == {}
    assert not installed.keys() & {"pytest", "mypy", "ruff", "uv"}


def test_what_the_services_need_is_all_there() -> None:
    declared = tomllib.loads((ROOT / "shared" / "pyproject.toml").read_text("utf-8"))["project"]
    extras = declared["optional-dependencies"]
    needed = [re.split(r"[\[<>=; ]", one)[0] for one in declared["dependencies"] + extras["service"] + extras["amqp"]]
    assert set(needed) <= locked(DEPLOY / "requirements.lock.txt").keys()
