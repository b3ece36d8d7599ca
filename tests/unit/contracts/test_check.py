"""A handler is fed every event ever shipped, and what it raises is said with its type."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from avow.cli import app
from avow.contracts.check import NothingToCheck, check, load, main
from avow.contracts.envelope import decode
from avow.contracts.pledge import PledgeMade
from avow.contracts.shipped import samples
from avow.kernel.seal import Seal

HANDLERS = """
import json

def takes(event):
    assert event.type

async def fails(event):
    if event.type == "meeting.held":
        raise KeyError("agenda")

def ends(event):
    raise SystemExit(0)

def raw(line):
    json.loads(line)["data"]

class Desk:
    async def __call__(self, event):
        pass

desk = Desk()
number = 7
"""


@pytest.fixture(autouse=True)
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a module of handlers, which is the current one."""
    (tmp_path / "desk_handlers.py").write_text(HANDLERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "desk_handlers", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_handler_is_fed_every_sample_once_as_the_event_it_is() -> None:
    taken: list[Any] = []
    verdicts = check(taken.append)
    assert [f"{verdict.type}.v{verdict.schema}" for verdict in verdicts] == list(samples())
    assert [event.type for event in taken] == [verdict.type for verdict in verdicts]
    pledge = next(event for event in taken if isinstance(event, PledgeMade))
    assert isinstance(pledge.wording, Seal)


def test_a_raw_handler_is_fed_the_line() -> None:
    taken: list[bytes] = []
    check(taken.append, raw=True)
    assert taken == list(samples().values())
    assert all(decode(line).leaf_holds() for line in taken)


def test_an_asynchronous_handler_is_awaited_and_may_wait() -> None:
    taken: list[str] = []

    async def handler(event: Any) -> None:
        await asyncio.sleep(0)
        taken.append(event.type)

    assert [verdict.raised for verdict in check(handler, ["pledge.made", "book.opened"])] == [None, None]
    assert sorted(taken) == ["book.opened", "pledge.made"]


def test_what_a_handler_raises_is_said_and_the_others_are_still_fed() -> None:
    verdicts = check(load("desk_handlers:fails"))
    failed = [verdict for verdict in verdicts if verdict.raised]
    assert len(verdicts) == len(samples())
    assert [(v.type, v.schema, v.raised) for v in failed] == [("meeting.held", 1, "KeyError: 'agenda'")]
    assert failed[0].at is not None
    assert failed[0].at.endswith("desk_handlers.py:9")


def test_a_handler_that_would_end_the_process_has_not_taken_the_event() -> None:
    assert {verdict.raised for verdict in check(load("desk_handlers:ends"))} == {"SystemExit: 0"}


@pytest.mark.parametrize("name", ["desk_handlers", "desk_handlers:nobody", "nowhere:takes", "desk_handlers:number"])
def test_a_handler_there_is_not_is_said_to_be_none(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert name in said.err


def test_a_type_there_is_not_is_named() -> None:
    with pytest.raises(NothingToCheck, match=r"No such event types: pledge\.broken\."):
        check(print, ["pledge.made", "pledge.broken"])


@pytest.mark.parametrize(("name", "status"), [("takes", 0), ("fails", 1), ("desk", 0)])
def test_the_exit_status_is_the_verdict_in_both_commands(
    name: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [f"desk_handlers:{name}", "--json"]
    assert main(arguments) == status
    light = json.loads(capsys.readouterr().out)
    assert light["ok"] is (status == 0)
    full = CliRunner().invoke(app, ["contracts", "check", *arguments])
    assert (full.exit_code, json.loads(full.stdout)) == (status, light)


def test_only_some_types_and_the_raw_line_can_be_asked_for() -> None:
    result = CliRunner().invoke(
        app, ["contracts", "check", "desk_handlers:raw", "--raw", "--types", "pledge.made,meeting.held"]
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["✓ pledge.made.v1", "✓ meeting.held.v1"]


HEAVY = "cryptography fastapi pydantic_settings rich sqlalchemy starlette structlog typer uvicorn yaml"
BARE = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}.split():
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from avow.contracts.check import main
sys.exit(main(["desk_handlers:takes"]))
"""


def test_the_check_needs_the_bare_install_and_nothing_more() -> None:
    ran = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"All {len(samples())} were taken." in ran.stdout
