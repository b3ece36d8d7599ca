"""No read, feed, view, key, retry or import crosses from one organisation into another, whatever they share."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, MetaData, inspect, select

from avow.bus.inbox import Inbox
from avow.bus.subscribers import subscriber
from avow.cli.verify import examine
from avow.contracts.envelope import encode
from avow.demo.playing import BEGINS, play
from avow.demo.stage import Stage
from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.keys import destroy_keys
from avow.eventlog.tables import metadata, seal_key
from avow.kernel.ports import Ports, SimulatedClock
from avow.projections.builds import builds, checkpoint
from avow.service.hosting import Deployment, deployment, installed
from avow.service.settings import Settings
from tests.kit.tiny_college import TINY
from tests.kit.two_orgs import EMPTY, FIRST, MARKS, ORGS, SECOND, Sweep, Twin, same_identities
from tests.kit.watching import Watch, watching

OTHER = {FIRST: SECOND, SECOND: FIRST}


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    told = Settings(data=tmp_path, orgs=ORGS, pledge_port=0, evaluation_port=0)
    if request.param == "sqlite":
        return told
    new_url: Callable[[], str] = request.getfixturevalue("new_postgres_url")
    return told.model_copy(update={"pledge_database": new_url(), "evaluation_database": new_url()})


@dataclass(frozen=True)
class Played:
    """The deployment after the whole play in two of its three organisations."""

    running: Deployment
    pledge: Twin
    evaluation: Twin
    watch: Watch


def tables_with_rows() -> set[str]:
    """Every table of every service, by what the code declares."""
    views = {
        view.stored(projection.version, 1).name
        for entry in installed().values()
        for projection in entry.blueprint.projections
        for view in projection.tables
    }
    return {*metadata.tables, checkpoint.name, *views}


@asynccontextmanager
async def played(settings: Settings) -> AsyncIterator[Played]:
    clock = SimulatedClock(BEGINS)
    async with AsyncExitStack() as stack:
        watch = stack.enter_context(watching(tables_with_rows(), ORGS))
        running = await stack.enter_async_context(deployment(settings, Ports(clock)))
        pledge, evaluation = (Twin(running.urls[name], running.token) for name in ("pledge", "evaluation"))
        stack.push_async_callback(pledge.close)
        stack.push_async_callback(evaluation.close)
        stage = Stage(clock, pledge, evaluation, lambda _: None)
        await play(stage, TINY)
        yield Played(running, pledge, evaluation, watch)


async def test_two_organisations_with_the_same_identities_share_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    same_identities(monkeypatch)
    async with played(settings) as both:
        with subtests.test("every stream is in both"):
            await the_same_streams_are_in_both(both)
        with subtests.test("no answer says a word of another organisation"):
            await no_answer_says_a_word_of_another(both)
        with subtests.test("every statement so far kept to one organisation"):
            assert set(both.watch.strays) == set()
            assert both.watch.statements > 1000
            assert both.watch.seen.keys() == tables_with_rows()
            assert [name for name, orgs in both.watch.seen.items() if not {FIRST, SECOND} <= orgs] == []
        with subtests.test("a credential of one is no use in another"):
            assert both.evaluation.turned_away == ["ballot.credential_unknown"] * 3
            assert not both.evaluation.credentials.keys() & set(both.evaluation.credentials.values())
        with subtests.test("another organisation's lines are not imported"):
            await lines_of_another_are_not_imported(both)
        with subtests.test("a key destroyed in one is still there in the other"):
            await a_key_is_destroyed_in_one_alone(both)
        with subtests.test("no row says a word of another organisation, and every table has its organisation"):
            await no_row_says_a_word_of_another(both)
        with subtests.test("both verify"):
            databases = {name: service.database for name, service in both.running.services.items()}
            verdicts = await examine(databases, None)
            assert [(verdict.ok, verdict.findings) for verdict in verdicts] == [(True, ())] * 3


async def the_same_streams_are_in_both(both: Played) -> None:
    for service in both.running.services.values():
        names = []
        for org in (FIRST, SECOND):
            records = await service.database.read(partial(reading.page, org=org, after=0, upto=2**53, limit=10**6))
            names.append({r.stream for r in records if not r.stream.startswith(("book/", "ballot/"))})
            assert len(records) > 100
        assert names[0] == names[1]


async def no_answer_says_a_word_of_another(both: Played) -> None:
    for name, service in both.running.services.items():
        logs = {org: await service.database.read(partial(_log_id, org=org)) for org in ORGS}
        headers = {"Authorization": f"Bearer {both.running.token}"}
        async with httpx.AsyncClient(base_url=both.running.urls[name], headers=headers, timeout=30) as client:
            document = (await client.get("/openapi.json")).json()
            sweep = Sweep(client, document)
            await sweep.learn(FIRST)
            asked = {org: await sweep.answers(org) for org in ORGS}
        paths = {path for path, _ in sweep.operations()}
        assert {path for path in document["paths"] if "get" in document["paths"][path]} == paths
        for path in paths:
            # A new route with a parameter nobody has heard a value of would be passed over unseen.
            assert any(_is_of(request, path) for request in asked[FIRST]), path
        marked = {path for path in paths for r, a in asked[FIRST].items() if _is_of(r, path) and MARKS[FIRST] in a.text}
        assert len(marked) >= len(paths) // 2
        for org, answers in asked.items():
            for request, answer in answers.items():
                others = [text for other in ORGS if other != org for text in (MARKS.get(other), logs[other]) if text]
                assert [text for text in others if text in answer.text] == [], f"{org}: {request}"
                assert answer.status_code in ((200,) if org != EMPTY else (200, 404)), f"{org}: {request}"
        for request, answer in asked[EMPTY].items():
            if _is_csv(answer):
                assert len(answer.text.splitlines()) == 1, request
            elif answer.status_code == 200 and "items" in answer.text:
                assert answer.json()["items"] == [], request
        for request, answer in asked[FIRST].items():
            assert _size(answer) == _size(asked[SECOND][request]), request
            if _is_of(request, "/{org}/keys"):
                mine, theirs = (
                    {item["key"] for item in one.json()["items"]} for one in (answer, asked[SECOND][request])
                )
                assert (mine & theirs, bool(mine)) == (set(), name == "pledge")


def _is_of(request: str, path: str) -> bool:
    parts, wanted = request.split(" ")[0].split("/"), path.split("/")
    pairs = zip(parts, wanted, strict=False)
    return len(parts) == len(wanted) and all(a == b or (b.startswith("{") and b != "{org}") for a, b in pairs)


def _is_csv(answer: httpx.Response) -> bool:
    return answer.headers["content-type"].startswith("text/csv")


def _size(answer: httpx.Response) -> int:
    if _is_csv(answer):
        return answer.text.count("\r\n")
    if not answer.headers["content-type"].startswith("application/json"):
        return answer.text.count('"specversion"')
    said: Mapping[str, Any] = answer.json()
    return len(said.get("items", said))


def _log_id(connection: Connection, org: str) -> str:
    head = read_head(connection, org)
    assert head is not None
    return str(head.log_id)


async def lines_of_another_are_not_imported(both: Played) -> None:
    source, importer = both.running.services["pledge"], both.running.services["evaluation"]
    envelopes = await source.database.read(
        partial(reading.envelopes, org=FIRST, after=0, upto=2**53, types=None, limit=10**6)
    )
    before = await importer.database.read(partial(reading.page, org=SECOND, after=0, upto=2**53, limit=10**6))
    taken = await Inbox(importer.database, importer.appender, SECOND).take([encode(one) for one in envelopes])
    assert (taken.imported, taken.rejected) == (0, len(envelopes))
    relabelled = [encode(one).replace(FIRST.encode(), SECOND.encode()) for one in envelopes]
    taken = await Inbox(importer.database, importer.appender, SECOND).take(relabelled)
    assert (taken.imported, taken.rejected) == (0, len(envelopes))
    after = await importer.database.read(partial(reading.page, org=SECOND, after=0, upto=2**53, limit=10**6))
    assert after == before


async def a_key_is_destroyed_in_one_alone(both: Played) -> None:
    database = both.running.services["pledge"].database

    def keys(connection: Connection) -> dict[str, dict[str, bytes]]:
        found: dict[str, dict[str, bytes]] = {org: {} for org in ORGS}
        for row in connection.execute(select(seal_key)):
            found[row.org][row.subject] = row.key
        return found

    before = await database.read(keys)
    assert before[FIRST].keys() == before[SECOND].keys()
    assert len(before[FIRST]) > 10
    assert not set(before[FIRST].values()) & set(before[SECOND].values())
    assert before[EMPTY] == {}
    names = [json.dumps((await player.read("people", limit=500))["items"]) for player in _two(both)]
    subject = min(before[FIRST])
    assert await database.write(partial(destroy_keys, org=FIRST, subjects=[subject]))
    after = await database.read(keys)
    assert after[FIRST].keys() == before[FIRST].keys() - {subject}
    assert after[SECOND] == before[SECOND]
    again = [json.dumps((await player.read("people", limit=500))["items"]) for player in _two(both)]
    assert names[0] != again[0]
    assert names[1] == again[1]


def _two(both: Played) -> tuple[Any, Any]:
    return both.pledge, both.pledge.second


async def no_row_says_a_word_of_another(both: Played) -> None:
    for service in both.running.services.values():
        await service.database.read(_every_table_keeps_them_apart)


def _every_table_keeps_them_apart(connection: Connection) -> None:
    found = MetaData()
    found.reflect(connection)
    assert len(found.tables) > 5
    # Which build of a view is live, and who subscribes, is the deployment's, and says nothing of anybody.
    for table in (builds, subscriber):
        found.remove(found.tables[table.name])
    for table in found.tables.values():
        key = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
        assert key[0] == "org", table.name
        for row in connection.execute(select(table)).mappings():
            assert row["org"] in ORGS, table.name
            other = OTHER.get(row["org"])
            for value in row.values():
                text = value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
                assert other is None or MARKS[other] not in text, table.name
                assert row["org"] != EMPTY or not any(mark in text for mark in MARKS.values()), table.name
