"""`avow dead`: what is listed, shown, retried and discarded, beside running services and without them."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from avow.bus.dead import garbage
from avow.contracts.envelope import encode
from avow.eventlog import dead_letters
from avow.eventlog.dead_letters import Letter
from avow.kernel.ports import Ports
from tests.kit.deployed import avow
from tests.kit.logs import Log, a_log, identity

ORG = "main"
QUEUE = "evaluation.inbox.main"
MARKER = "祁安然\x1b[31m"


async def record(log: Log, letters: Sequence[Letter]) -> None:
    now, new_id = log.ports.clock.now(), log.ports.new_id
    await log.database.write(partial(dead_letters.record, org=ORG, letters=letters, now=now, new_id=new_id))


async def open_times(log: Log) -> int:
    return sum(group.times for group in await log.database.read(dead_letters.groups))


def said(*arguments: str, data: Path, status: int = 0) -> Any:
    answer = avow(data, "dead", *arguments, "--json")
    assert answer.returncode == status, answer.stdout + answer.stderr
    return json.loads(answer.stdout)


def of_a_reaction(reason: str) -> Letter:
    return Letter("reaction", reason, "tally-round", message_id=identity(1))


async def test_letters_are_listed_shown_and_discarded_by_their_group(tmp_path: Path) -> None:
    async with (
        a_log(f"sqlite:///{tmp_path}/pledge.db", Ports(), orgs=(ORG,)),
        a_log(f"sqlite:///{tmp_path}/evaluation.db", Ports(), orgs=(ORG,), service="evaluation") as log,
    ):
        flood = [garbage(QUEUE, "avow.pledge", "main.x", None, "form", f"{n} {MARKER}".encode()) for n in range(30)]
        await record(log, flood)
        await record(log, [of_a_reaction("round.open")])
        listed = said("list", data=tmp_path)["groups"]
        assert {(g["service"], g["kind"], g["letters"], g["times"]) for g in listed} == {
            ("evaluation", "garbage", 20, 30),
            ("evaluation", "reaction", 1, 1),
        }
        assert said("list", "--kind", "reaction", "--service", "pledge", data=tmp_path)["groups"] == []
        (group,) = [g for g in listed if g["kind"] == "garbage"]
        text = avow(tmp_path, "dead", "list").stdout
        assert group["fingerprint"][:12] in text
        assert "祁安然" not in text + json.dumps(listed, ensure_ascii=False)
        shown = avow(tmp_path, "dead", "show", group["fingerprint"]).stdout
        assert "祁安然" in shown
        assert "\x1b" not in shown
        dry = said("discard", group["fingerprint"][:8], "--reason", "a test", data=tmp_path)
        assert (dry["dry_run"], {each["outcome"] for each in dry["letters"]}) == (True, {"would be discarded"})
        assert await open_times(log) == 31
        done = said("discard", group["fingerprint"][:8], "--reason", "a test", "--yes", data=tmp_path)
        assert (done["dry_run"], len(done["letters"])) == (False, 20)
        assert await open_times(log) == 1
        after = {g["kind"]: g["settled"] for g in said("list", "--all", data=tmp_path)["groups"]}
        assert after == {"garbage": "discarded", "reaction": None}
        (letter,) = said("show", done["letters"][0]["id"], data=tmp_path)["letters"]
        assert (letter["body"], letter["settled_why"]) == (None, "a test")


async def test_a_delivery_is_taken_in_at_the_second_try_where_it_can_be(tmp_path: Path) -> None:
    async with (
        a_log(f"sqlite:///{tmp_path}/pledge.db", Ports(), orgs=(ORG,)) as source,
        a_log(f"sqlite:///{tmp_path}/evaluation.db", Ports(), orgs=(ORG,), service="evaluation") as log,
    ):
        (line,) = await lines_of_main(source)
        await record(log, [garbage(QUEUE, "avow.pledge", "main.book.opened", None, "leaf", line)])
        await record(log, [garbage(QUEUE, "avow.pledge", "main.book.opened", None, "form", b"\xff")])
        listed = {g["reason"]: g["fingerprint"] for g in said("list", data=tmp_path)["groups"]}
        dry = said("retry", listed["leaf"], "--reason", "mended", data=tmp_path)
        assert [each["outcome"] for each in dry["letters"]] == ["would be retried"]
        assert await imported(log) == []
        done = said("retry", listed["leaf"], "--reason", "mended", "--yes", data=tmp_path)
        assert [each["outcome"] for each in done["letters"]] == ["retried"]
        assert await imported(log) == [(1, line)]
        for yes in ([], ["--yes"]):
            again = said("retry", listed["form"], "--reason", "hope", *yes, data=tmp_path, status=1)
            assert [each["outcome"] for each in again["letters"]] == ["stays: refused again (form)"]
        assert await open_times(log) == 1


async def lines_of_main(log: Log) -> list[bytes]:
    return [encode(envelope) for envelope in await log.envelopes(ORG)]


async def imported(log: Log) -> list[tuple[int, bytes]]:
    return [(row.version, row.data) for row in await log.rows(ORG) if row.stream.startswith("import/")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["retry", "0123456789", "--reason", "x"], "There is no open dead letter"),
        (["retry", "0123", "--reason", "x"], "first 8 characters"),
        (["discard", "0123456789", "--reason", " "], "Say why"),
        (["show", "0123456789"], "There is no dead letter"),
        (["list", "--kind", "none"], "There is no kind"),
        (["list", "--service", "none"], "There is no service"),
    ],
)
async def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: list[str], told: str) -> None:
    for service in ("pledge", "evaluation"):
        async with a_log(f"sqlite:///{tmp_path}/{service}.db", Ports(), orgs=(ORG,), service=service):
            pass
    answer = avow(tmp_path, "dead", *arguments)
    assert answer.returncode == 2, answer.stdout
    assert told in answer.stderr
