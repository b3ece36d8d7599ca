"""Lists over HTTP: sorted, filtered, page by page, as CSV, and what is refused, on each engine."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.unit.evaluation.builders import CAMPAIGN, UNIT
from tests.unit.evaluation.college import ORG, Evaluation, an_evaluation
from tests.unit.evaluation.scoring import UNITS, a_unit_round, publish, the_units_records


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as opened:
        yield opened


async def fetch(evaluation: Evaluation, path: str, accept: str = "*/*", **query: Any) -> httpx.Response:
    asked = {"min_position": evaluation.position, **query}
    return await evaluation.client.get(path, params=asked, headers={"Accept": accept})


async def every_page(evaluation: Evaluation, path: str, **query: Any) -> list[dict[str, Any]]:
    page = await evaluation.read(path, **query)
    found = list(page["items"])
    while page["next"] is not None:
        page = await evaluation.read(path, **query, after=page["next"])
        found += page["items"]
    return found


def rows(response: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), strict=True))


async def test_a_list_is_sorted_both_ways_and_paged_under_either(evaluation: Evaluation) -> None:
    closings = [f"2010-12-{day:02}T12:00:00Z" for day in (22, 20, 24, 21, 20)]
    for closes_at in closings:
        await evaluation.announce(closes_at=closes_at)
    rising = await every_page(evaluation, "rounds", sort="closes_at", limit=2)
    assert [entry["closes_at"] for entry in rising] == sorted(closings)
    falling = await every_page(evaluation, "rounds", sort="-closes_at,position", limit=2)
    assert [entry["closes_at"] for entry in falling] == sorted(closings, reverse=True)
    assert {entry["round_id"] for entry in rising} == {entry["round_id"] for entry in falling}
    assert await every_page(evaluation, "rounds", limit=2) == (await evaluation.read("rounds"))["items"]


async def test_a_list_is_filtered(evaluation: Evaluation) -> None:
    open_round, other = await evaluation.a_round_open(), await evaluation.announce(rehearsal=True)

    async def found(**query: str) -> list[str]:
        return [entry["round_id"] for entry in (await evaluation.read("rounds", **query))["items"]]

    assert await found(status="open") == [open_round]
    assert await found(rehearsal="true") == [other]
    assert await found(campaign_id=CAMPAIGN, subject="unit") == [other, open_round]
    assert await found(subject="member") == []


async def test_the_whole_list_comes_as_csv(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avow.web.listing._AT_ONCE", 2)
    page = await evaluation.read("people", sort="-person_id")
    response = await fetch(evaluation, "people", format="csv", sort="-person_id")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["avow-as-of-position"] == str(page["as_of_position"])
    assert f"people_{ORG}_{page['as_of_position']}.csv" in response.headers["content-disposition"]
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.content.startswith(b"\xef\xbb\xbfperson_id,name,since,erased_at\r\n")
    shown = [{name: cell or None for name, cell in row.items()} for row in rows(response)]
    assert len(shown) > 2
    assert [row["person_id"] for row in shown] == [entry["person_id"] for entry in page["items"]]
    assert [row["name"] for row in shown] == [entry["name"] for entry in page["items"]]
    assert len(rows(await fetch(evaluation, "people", format="csv", limit=1))) == 1


async def test_csv_is_had_by_the_accept_header_and_with_headings(evaluation: Evaluation) -> None:
    assert (await fetch(evaluation, "people", "text/csv")).headers["content-type"].startswith("text/csv")
    asked = await fetch(evaluation, "people", "application/json, text/csv;q=0.1")
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["avow-as-of-position"] == str(asked.json()["as_of_position"])
    assert (await fetch(evaluation, "people", "text/csv", format="json")).headers["content-type"] == "application/json"
    headed = (await fetch(evaluation, "people", format="csv", headings="zh")).content.decode("utf-8-sig")
    assert headed.split("\r\n")[1] == "人员编号,名称,起始时间,删除时间"


async def test_another_day_is_sorted_paged_and_fetched_alike(evaluation: Evaluation) -> None:
    for closes_at in ("2010-12-22T12:00:00Z", "2010-12-20T12:00:00Z"):
        await evaluation.announce(closes_at=closes_at)
    then = {"as_of": evaluation.clock.now().isoformat()}
    evaluation.clock.set(evaluation.clock.now() + timedelta(hours=1))
    await evaluation.announce(closes_at="2010-12-21T12:00:00Z")
    today = await every_page(evaluation, "rounds", sort="closes_at", limit=1)
    shown = await every_page(evaluation, "rounds", sort="closes_at", limit=1, **then)
    assert len(today) == 3
    assert shown == [entry for entry in today if entry["closes_at"] != "2010-12-21T12:00:00Z"]
    as_csv = rows(await fetch(evaluation, "rounds", format="csv", sort="closes_at", **then))
    assert [row["round_id"] for row in as_csv] == [entry["round_id"] for entry in shown]


async def test_what_a_list_refuses(evaluation: Evaluation) -> None:
    for _ in range(3):
        await evaluation.announce()

    async def problem(path: str, **query: Any) -> tuple[int, str, str]:
        said = (await fetch(evaluation, path, **query)).json()
        return said["status"], said["code"], said["field"]

    sort = 422, "list.sort_unknown", "sort"
    assert await problem("rounds", sort="colour") == sort
    answer = (await fetch(evaluation, "rounds", format="csv", sort="colour")).json()
    assert answer["code"] == "list.sort_unknown"
    assert "closes_at" in answer["detail_en"]
    cursor = (await evaluation.read("rounds", limit=1))["next"]
    foreign = 422, "list.cursor_foreign", "after"
    assert await problem("rounds", after=cursor, sort="closes_at") == foreign
    assert await problem("rounds", after=cursor, subject="unit") == foreign
    assert await problem("people", after=cursor) == foreign
    assert await problem("rounds", after=f"{cursor}x") == foreign
    assert await problem("rounds", after="17") == foreign
    assert (await fetch(evaluation, "rounds", format="csv", after="17")).status_code == 422
    assert await problem("rounds", format="xml") == (422, "request.invalid", "query.format")
    assert await problem("rounds", limit=501) == (422, "request.invalid", "query.limit")


async def test_the_office_sees_what_counts_in_a_phase(evaluation: Evaluation) -> None:
    """R-47, R-49: the very records the score is counted from."""
    await publish(evaluation)
    await the_units_records(evaluation)
    round_id = await a_unit_round(evaluation)
    await evaluation.ask("assessments", UNITS)
    found = (await evaluation.read("evidence", **UNITS, subject_id=UNIT))["items"]
    shown = [(entry["part"], entry["number"]) for entry in found]
    assert shown == sorted(shown)
    (score,) = (await evaluation.read("assessments", **UNITS, unit_id=UNIT))["items"]
    for part in score["parts"]:
        assert part["denominator"] <= len([one for one in found if one["part"] == part["part"]])
    assert [one["grade"] for one in found if one["part"] == "comments"] == [80, 91]
    (result,) = (await evaluation.read("evidence", **UNITS, subject_id=UNIT, part="recognition"))["items"]
    assert (result["round_id"], result["validity"]) == (round_id, "valid")
    graded = await evaluation.read("evidence", **UNITS, part="comments", sort="-grade", limit=1)
    assert graded["items"][0]["grade"] == 91
    response = await fetch(evaluation, "evidence", **(UNITS | {"phase": "phase99"}))
    assert response.json()["code"] == "assessment.phase_unknown"
