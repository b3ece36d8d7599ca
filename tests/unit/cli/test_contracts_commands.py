"""What the command line says of the contracts; it needs no database and no service."""

import json

import pytest
from typer.testing import CliRunner, Result

from avow.cli import app
from avow.contracts.catalogue import every_public_event
from avow.contracts.entries import entries


def avow(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["contracts", *arguments], env={"COLUMNS": "100"})


def test_every_public_event_is_listed() -> None:
    shown, told = avow("list"), avow("list", "--json")
    assert (shown.exit_code, told.exit_code) == (0, 0)
    for entry in entries():
        assert entry.name in shown.stdout
        assert entry.words.name.zh in shown.stdout
    assert [one["type"] for one in json.loads(told.stdout)] == [event.type for event in every_public_event()]


@pytest.mark.parametrize("name", ["pledge.made", "pledge.made.v1"])
def test_an_event_is_shown_with_its_fields_its_seals_and_an_example(name: str) -> None:
    result = avow("show", name)
    assert result.exit_code == 0
    assert "文字从此冻结" in result.stdout
    assert "items[].quantities[].target" in result.stdout
    assert "加封 / sealed: scope/{scope}/{unit_id}" in result.stdout
    assert '"avow.pledge.made.v1"' in result.stdout


def test_an_event_is_told_to_a_program() -> None:
    said = json.loads(avow("show", "person.registered", "--json").stdout)
    assert said["sealed"] == {"name": "person/{person_id}"}
    assert said["services"] == ["pledge"]
    assert said["json_schema"]["$id"] == "avow.person.registered.v1"
    assert said["example"]["type"] == "avow.person.registered.v1"


def test_an_event_there_is_not_is_said_to_be_none() -> None:
    result = avow("show", "pledge.broken")
    assert result.exit_code == 2
    assert "There is no public event pledge.broken" in result.stderr
