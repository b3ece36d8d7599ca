"""What the command line says when something is not as it should be: a sentence and a status, never a traceback."""

import fcntl
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from avow.cli import app

PASSWORD = "swordfish"


@pytest.fixture(autouse=True)
def a_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty folder, free ports, and the process's logging as it was before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVOW_PLEDGE_PORT", "0")
    monkeypatch.setenv("AVOW_EVALUATION_PORT", "0")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def avow(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refused(result: Result) -> str:
    """What is said by a command that could not do its work, and says so itself."""
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_folder_that_is_a_file_is_said_to_be_one(tmp_path: Path, command: str) -> None:
    (tmp_path / "taken").touch()
    assert "taken" in refused(avow(command, "--data", "taken"))


@pytest.mark.parametrize("command", ["up", "verify"])
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path, command: str) -> None:
    for service in ("pledge", "evaluation"):
        (tmp_path / f"{service}.db").write_bytes(b"no database at all " * 1000)
    result = avow(command, "--data", str(tmp_path))
    if command == "up":
        assert "file is not a database" in refused(result)
    else:
        assert result.exit_code in (1, 2)
        assert isinstance(result.exception, SystemExit)


def test_a_database_that_is_away_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("PLEDGE", "EVALUATION"):
        monkeypatch.setenv(f"AVOW_{service}_DATABASE", f"postgresql+asyncpg://avow:{PASSWORD}@127.0.0.1:1/avow")
    for command in ("up", "verify"):
        said = refused(avow(command))
        assert "Connect call failed" in said
        assert PASSWORD not in said


def test_doctor_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_PLEDGE_DATABASE", f"postgresql+asyncpg://avow:{PASSWORD}@127.0.0.1:1/avow")
    result = avow("doctor", "--json")
    assert result.exit_code == 1
    said = {finding["what"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert said["pledge database"]["ok"] is False
    assert said["AVOW_PLEDGE_DATABASE"]["found"] == "postgresql+asyncpg://avow:***@127.0.0.1:1/avow"
    assert PASSWORD not in result.output


def test_doctor_finds_a_server_that_does_not_sync(monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> None:
    """The tests' own does not."""
    monkeypatch.setenv("AVOW_PLEDGE_DATABASE", postgres_url)
    result = avow("doctor", "--json")
    assert result.exit_code == 1
    amiss = [(f["what"], f["found"]) for f in json.loads(result.stdout)["findings"] if not f["ok"]]
    assert amiss == [("pledge durability", "off: fsync, full_page_writes")]


def test_doctor_knows_the_other_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as lent:
        monkeypatch.setenv("AVOW_PLEDGE_PORT", str(lent.getsockname()[1]))
    monkeypatch.setenv("AVOW_HOST", "::1")
    assert avow("doctor", "--json").exit_code == 0


def test_doctor_finds_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    result = avow("doctor", "--json", "--data", "taken")
    assert result.exit_code == 1
    assert [f["what"] for f in json.loads(result.stdout)["findings"] if not f["ok"]] == ["data"]


def test_a_setting_that_is_not_understood_is_named_with_the_reason_and_not_the_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AVOW_PLEDGE_PORT", "often")
    monkeypatch.setenv("AVOW_OPERATOR_TOKEN", PASSWORD)
    said = refused(avow("up"))
    assert "AVOW_PLEDGE_PORT (Input should be a valid integer" in said
    assert "AVOW_OPERATOR_TOKEN" in said
    assert PASSWORD not in said


def test_a_setting_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_PLEGDE_PORT", "8401")
    assert "AVOW_PLEGDE_PORT" in refused(avow("up"))


def test_the_demo_empties_no_folder_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    assert "was not made by the demo" in refused(avow("demo", "--data", str(tmp_path)))
    assert (tmp_path / "letters.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_the_demo_empties_no_folder_in_which_another_is_at_work(tmp_path: Path) -> None:
    with (tmp_path / ".avow-demo").open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        (tmp_path / "pledge.db").write_text("in use")
        assert "Another demo is at work" in refused(avow("demo", "--data", str(tmp_path)))
    assert (tmp_path / "pledge.db").read_text() == "in use"


def test_what_a_person_wrote_is_said_as_it_is(tmp_path: Path) -> None:
    odd = tmp_path / "[red]letters[/bold]"
    odd.mkdir(parents=True)
    (odd / "letters.txt").touch()
    assert str(odd) in refused(avow("demo", "--data", str(odd)))
