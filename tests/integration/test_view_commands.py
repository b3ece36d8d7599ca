"""`avow asof`, `diff` and `rebuild` on a college's book: what they print, and the status they end with."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from avow.cli import app
from avow.register.projection import Register, units
from avow_pledge.domain.pledge import ApprovePledge, MakePledge, SubmitPledge, pledge
from avow_pledge.facts import pledge_facts
from tests.unit.pledge.builders import PLEDGE, UNIT
from tests.unit.pledge.college import College, a_college, a_draft


class Commands:
    """The command line on a folder."""

    def __init__(self, college: College, folder: Path) -> None:
        self.college = college
        self._folder = folder

    async def run(self, *words: str, status: int = 0) -> Result:
        done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--data", str(self._folder)])
        assert done.exit_code == status, done.output
        return done

    async def json(self, *words: str, status: int = 0) -> Any:
        return json.loads((await self.run(*words, "--json", status=status)).stdout)


@pytest.fixture
async def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Commands]:
    """A college whose member made a pledge."""
    monkeypatch.setenv("COLUMNS", "200")
    async with a_college(f"sqlite:///{tmp_path}/pledge.db") as college:
        for command in (a_draft("college"), SubmitPledge(), ApprovePledge(), MakePledge(channel="website")):
            await college.tell(pledge, PLEDGE, command, pledge_facts)
        yield Commands(college, tmp_path)


async def test_a_view_is_shown_as_it_stood(commands: Commands) -> None:
    now = await commands.json("asof", "pledge_wall")
    (made,) = now["tables"]["pledge_wall"]["items"]
    assert (made["pledge_id"], made["sealed_wording"][0]["goal"]) == (PLEDGE, "让新生少跑一趟")
    before = await commands.json("asof", "pledge_wall", "--at", "2010-06-01T12:00:00+00:00")
    assert (before["tables"]["pledge_wall"], before["at"]) == ({"rows": 0, "items": []}, "2010-06-01T12:00:00+00:00")
    assert before["position"] == now["position"]
    earlier = await commands.json("asof", "pledge_wall", "--known", "2010-06-01T12:00:00Z")
    assert earlier["position"] < now["position"]
    said = (await commands.run("asof", "pledge_wall")).stdout
    assert "pledge_wall（1 行 rows）" in said
    assert "让新生少跑一趟" in said


async def test_a_table_comes_as_csv_that_excel_reads(commands: Commands) -> None:
    said = (await commands.run("asof", "register", "--service", "pledge", "--table", "register_unit", "--csv")).stdout
    assert said.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(said[1:])))
    assert [row["name"] for row in rows] == ["药学系教工支部"] * 3
    assert {row["kind"] for row in rows} == {"branch", "committee"}


async def test_what_changed_between_two_days_is_said_by_key_and_field(commands: Commands) -> None:
    since = "2010-06-01T12:00:00+00:00"
    told = await commands.json("diff", "pledge_wall", "--from", since)
    (change,) = told["changes"]
    assert (change["kind"], change["key"]) == ("added", {"pledge_id": PLEDGE})
    assert change["fields"]["channel"] == {"from": None, "to": "website"}
    words = (await commands.run("diff", "pledge_wall", "--from-known", since)).stdout
    assert f"+ 新增 added  pledge_wall  pledge_id={PLEDGE}" in words
    assert "1 added, 0 removed, 0 changed." in words
    back = (await commands.run("diff", "pledge_wall", "--from", "2010-06-02", "--to", since)).stdout
    assert "删除 removed" in back


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("asof", "nothing"), "There is no view nothing. There are: pledge: register; pledge: pledge_wall"),
        (("asof", "register"), "Say which with --service"),
        (("asof", "pledge_wall", "--known", "2999-01-01"), "has not come yet"),
        (("asof", "pledge_wall", "--at", "2009-01-01"), "The book had not begun then"),
        (("asof", "pledge_wall", "--at", "someday"), "This is no date"),
        (("asof", "pledge_wall", "--org", "other"), "There is no book of other. There are: demo."),
        (("asof", "pledge_wall", "--table", "wall"), "has no table wall"),
        (("diff", "pledge_wall"), "--from or --from-known"),
        (("rebuild", "nothing"), "There is no view nothing"),
        (("rebuild", "pledge_wall", "--rollback"), "There is no earlier build to go back to"),
        (("rebuild", "round_board"), "No database of evaluation"),
    ],
)
async def test_what_cannot_be_done_is_said_with_what_to_do(
    commands: Commands, words: tuple[str, ...], said: str
) -> None:
    done = await commands.run(*words, status=2)
    assert said in done.stderr
    assert done.stdout == ""


async def test_a_rebuild_says_whether_the_view_was_sound_and_can_be_undone(commands: Commands) -> None:
    register = ("register", "--service", "pledge")
    sound = await commands.json("rebuild", *register)
    assert (sound["same"], sound["build"], sound["before"], sound["differences"]) == (True, 2, 1, [])
    table = units.stored(Register.version, 2)
    damage = update(table).where(table.c.unit_id == UNIT).values(name="别的支部")
    await commands.college.log.database.write(lambda connection: connection.execute(damage))
    done = await commands.run("rebuild", *register, status=1)
    assert "≠ demo" in done.stdout
    assert "register_unit" in done.stdout
    assert f"Build 3 of register v{Register.version} is live" in done.stdout
    assert (await commands.json("rebuild", *register, "--rollback"))["build"] == 2
    mended = await commands.json("rebuild", *register, "--org", "demo", status=1)
    assert [one["table"] for one in mended["differences"]] == ["register_unit"]
