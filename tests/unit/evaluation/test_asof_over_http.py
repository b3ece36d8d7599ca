"""Every list and page over HTTP on another day: as things stood, as they were known, opened with today's keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from avow.contracts.organisation import PersonErased, PersonRegistered
from avow.eventlog.records import Context, Proposed
from avow.eventlog.seals import ERASED
from avow.projections import scratch
from avow.projections.rebuild import rebuild
from avow.projections.replay import Replay, replay
from avow_evaluation.projections.round_board import RoundBoard, parts
from tests.kit.adversary import drop_table
from tests.kit.logs import identity
from tests.unit.evaluation.builders import MEMBER, OPENS
from tests.unit.evaluation.college import ORG, Evaluation, Refused, an_evaluation

NEWCOMER = identity(777)


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as opened:
        yield opened


async def statuses(evaluation: Evaluation, **query: str | int) -> list[str]:
    return [entry["status"] for entry in (await evaluation.read("rounds", **query))["items"]]


async def names(evaluation: Evaluation, **query: str | int) -> dict[str, str | None]:
    return {entry["person_id"]: entry["name"] for entry in (await evaluation.read("people", **query))["items"]}


async def test_a_list_shows_things_as_they_stood_and_as_they_were_known(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_open()
    before = (OPENS - timedelta(seconds=1)).isoformat()
    announced = evaluation.clock.now()
    assert await statuses(evaluation) == ["open"]
    assert await statuses(evaluation, as_of=before) == ["frozen"]
    assert await statuses(evaluation, as_of=announced.isoformat()) == ["open"]
    assert await statuses(evaluation, known_at=before) == ["frozen"]
    assert await statuses(evaluation, as_of="2010-11-24") == []
    assert await statuses(evaluation, as_of=before, known_at="2010-06-02") == []
    page = await evaluation.read(f"rounds/{round_id}", as_of=before)
    assert (page["status"], page["opened_at"], bool(page["form"])) == ("frozen", None, True)


async def test_an_answer_says_where_the_log_was_cut(evaluation: Evaluation) -> None:
    await evaluation.a_round_ready()
    today = await evaluation.read("rounds", as_of=evaluation.clock.now().isoformat())
    assert today == await evaluation.read("rounds")
    assert (await evaluation.read("people", known_at="2010-06-01"))["as_of_position"] == 9 + 2


async def test_a_late_entry_shows_on_the_day_it_occurred_once_it_is_known(evaluation: Evaluation) -> None:
    late = PersonRegistered(person_id=NEWCOMER, name="贺启明")
    at = datetime(2010, 7, 1, 4, tzinfo=UTC)
    item = Proposed(f"person/{NEWCOMER}", evaluation.service.ports.new_id(), late, Context(at, late_reason="补录"))
    await evaluation.service.appender.append(ORG, [item])
    assert NEWCOMER not in await names(evaluation, as_of="2010-06-30")
    assert (await names(evaluation, as_of="2010-07-01"))[NEWCOMER] == "贺启明"
    assert NEWCOMER not in await names(evaluation, as_of="2010-07-01", known_at="2010-11-24")
    assert NEWCOMER in await names(evaluation, known_at="2010-11-25")


async def test_who_was_erased_stays_erased_on_every_day(evaluation: Evaluation) -> None:
    day = {"as_of": "2010-06-30"}
    assert (await names(evaluation, **day))[MEMBER] == "钟若岚"
    await evaluation.told((f"person/{MEMBER}", PersonErased(person_id=MEMBER, requested_by=None, confirmed_by=None)))
    assert (await names(evaluation, **day))[MEMBER] == ERASED
    assert (await names(evaluation, **day, known_at="2010-06-30"))[MEMBER] == ERASED
    assert "苏砚" in (await names(evaluation, **day)).values()


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"as_of": "yesterday"}, "as_of.malformed", "as_of"),
        ({"as_of": "2010-02-30"}, "as_of.malformed", "as_of"),
        ({"as_of": "2010-11-01T10:00:00"}, "as_of.malformed", "as_of"),
        ({"known_at": "0001-01-01T00:00:00+14:00"}, "as_of.malformed", "known_at"),
        ({"known_at": "2010-11-26"}, "as_of.in_the_future", "known_at"),
        ({"as_of": "2999-01-01T00:00:00Z"}, "as_of.in_the_future", "as_of"),
        ({"known_at": "2010-05-31"}, "as_of.before_book", "known_at"),
        ({"as_of": "2010-05-31"}, "as_of.before_book", "as_of"),
    ],
)
async def test_a_date_that_cannot_be_shown_is_refused_and_says_why(
    evaluation: Evaluation, query: dict[str, str], code: str, field: str
) -> None:
    answer = await evaluation.client.get("rounds", params=query)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


async def test_a_round_that_was_not_yet_announced_is_unknown_then(evaluation: Evaluation) -> None:
    round_id = await evaluation.announce()
    with pytest.raises(Refused, match=r"round\.unknown"):
        await evaluation.read(f"rounds/{round_id}", as_of="2010-07-01")


async def test_a_day_is_replayed_once_for_all_who_ask_and_few_days_are_kept(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayed = []

    async def counting(*given: Any) -> Replay:
        replayed.append(given)
        return await replay(*given)

    monkeypatch.setattr(scratch, "replay", counting)
    for _ in range(3):
        assert await statuses(evaluation, as_of="2010-07-01") == []
    assert len(replayed) == 1
    for day in range(2, 2 + 2 * scratch.MOST):
        await statuses(evaluation, as_of=f"2010-07-{day:02}")
    assert len(evaluation.service.scratches) == scratch.MOST
    assert await statuses(evaluation, as_of="2010-07-01") == []


async def test_a_view_whose_table_is_gone_says_so_and_a_rebuild_mends_it(evaluation: Evaluation) -> None:
    await evaluation.announce()
    await evaluation.read("rounds")
    service = evaluation.service
    await service.database.write(partial(drop_table, parts.stored(RoundBoard.version, 1)))
    answer = await evaluation.client.get("rounds")
    assert (answer.status_code, answer.json()["code"]) == (503, "view.missing")
    assert "avow rebuild round_board" in answer.json()["todo_zh"]
    assert await statuses(evaluation, as_of=evaluation.clock.now().isoformat()) == ["announced"]
    await rebuild(service.database, RoundBoard(), service.types)
    assert await statuses(evaluation) == ["announced"]


async def test_the_status_says_how_far_a_view_is_behind_and_how_long(evaluation: Evaluation) -> None:
    async def behind() -> set[tuple[int, int]]:
        views = (await evaluation.client.get("status")).json()["views"]
        return {(view["behind"], view["behind_seconds"]) for view in views}

    await evaluation.service.runner.reach(
        ORG, evaluation.position, [p.name for p in evaluation.service.runner.projections]
    )
    assert await behind() == {(0, 0)}
    await evaluation.service.runner.stop()
    for name in ("甲", "乙"):
        await evaluation.told((f"person/{NEWCOMER}", PersonRegistered(person_id=NEWCOMER, name=name)))
        evaluation.clock.set(evaluation.clock.now() + timedelta(minutes=30))
    assert await behind() == {(2, 3600)}
