"""A unit's conduct over HTTP: plan, pledge, progress, meetings, comments, obligations, a transfer and a merger."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.pledge.caller import Caller
from tests.unit.pledge.college import a_comment, a_draft, a_meeting
from tests.unit.pledge.test_fulfilment import NOTE
from tests.unit.pledge.test_work_plan import an_entry


async def found(caller: Caller) -> dict[str, str]:
    """A committee, two branches, a member and a secretary in the first, a leader; everybody's identity."""
    campaign = await caller.post("/campaigns", {"template": "cxzy-2010"})
    await caller.post(f"/campaigns/{campaign}/approve", {})
    unit = {"campaign_id": campaign, "name": "示例职业技术学院", "kind": "committee"}
    who = {"campaign": campaign, "committee": await caller.post("/units", unit)}
    below = {**unit, "kind": "branch", "category": "teaching", "parent_id": who["committee"]}
    for name in ("unit", "other"):
        who[name] = await caller.post("/units", {**below, "name": "药学系教工支部"})
    for name, known_as in (("member", "钟若岚"), ("secretary", "柳承远"), ("leader", "贺启明")):
        who[name] = await caller.post("/people", {"name": known_as})
    for name in ("member", "secretary"):
        enrol = {"unit_id": who["unit"], "standing": "full"}
        await caller.post(f"/memberships/{who[name]}/enrol", enrol)
    for role, at, name in (("secretary", "unit", "secretary"), ("lg_head", "committee", "leader")):
        body = {"campaign_id": campaign, "person_id": who[name]}
        await caller.post(f"/roles/{who[at]}/{role}/appoint", body)
    return who


async def pledge(caller: Caller, who: dict[str, str]) -> str:
    draft = a_draft().model_dump(mode="json", exclude_none=True)
    items = [item | {"accountable_person_id": who["member"]} for item in draft["items"]]
    about = {"campaign_id": who["campaign"], "unit_id": who["unit"], "pledger": {"kind": "member", "id": who["member"]}}
    made: str = await caller.post("/pledges", {**draft, **about, "items": items}, who["member"])
    await caller.post(f"/pledges/{made}/submit", {}, who["member"])
    await caller.post(f"/pledges/{made}/approve", {}, who["secretary"])
    await caller.post(f"/pledges/{made}/make", {"channel": "website"}, who["member"])
    return made


async def items(caller: Caller, path: str, **query: str | int) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await caller.get(path, **query))["items"]
    return listed


async def test_what_was_pledged_is_reported_verified_and_withdrawn(caller: Caller) -> None:
    """R-28, R-31"""
    who = await found(caller)
    made = await pledge(caller, who)
    report = {"item": 0, "value": "24", "fulfilled": True, "evidence_sha256": "0" * 64, "note": NOTE}
    await caller.post(f"/pledges/{made}/progress", report, who["member"])
    refused = await caller.post(f"/pledges/{made}/verify", {"item": 1}, who["secretary"], status=409)
    assert refused["code"] == "pledge.item_not_declared"
    await caller.post(f"/pledges/{made}/verify", {"item": 0}, who["secretary"])
    withdrawal = {"reason": "答疑场所停用", "excused": True}
    await caller.post(f"/pledges/{made}/withdraw", withdrawal, who["member"], status=403)
    await caller.post(f"/pledges/{made}/withdraw", {**withdrawal, "items": [1]}, who["secretary"])
    (entry,) = await items(caller, "/pledges", pledger_id=who["member"])
    assert [(each["state"], each["excused"]) for each in entry["standing"]] == [("verified", None), ("withdrawn", True)]
    (told,) = await items(caller, "/progress", pledge_id=made)
    assert (told["value"], told["note"], told["fulfilled"]) == ("24", NOTE, True)


async def test_what_is_due_on_another_day_is_judged_by_that_day(caller: Caller) -> None:
    """R-31, R-33"""
    who = await found(caller)
    await pledge(caller, who)
    made_on = caller.clock.now().isoformat()
    caller.clock.set(datetime(2011, 8, 1, tzinfo=UTC))
    for day, overdue, month in (({}, True, "overdue"), ({"as_of": made_on}, False, "due")):
        (entry,) = await items(caller, "/pledges", **day)
        assert [item["overdue"] for item in entry["standing"]] == [overdue] * 2
        rounds = await items(caller, "/obligations/rounds", campaign_id=who["campaign"], **day)
        assert {one["state"] for one in rounds if one["starts_on"] == "2010-06-01"} == {month}
        assert any(one["starts_on"] > "2010-12-31" for one in rounds) is overdue


async def test_a_plan_goes_from_its_draft_to_a_revision(caller: Caller) -> None:
    """R-24"""
    who = await found(caller)
    written = {
        "scope": "college",
        "service_audience": "药学系本科新生",
        "items": [an_entry(accountable_person_id=who["member"]).model_dump(mode="json")],
    }
    draft = {"campaign_id": who["campaign"], "unit_id": who["unit"], "phase": "phase1", **written}
    plan = await caller.post("/work_plans", draft, who["secretary"])
    await caller.post(f"/work_plans/{plan}/return", {"reason": "请写明责任人"})
    assert await caller.post("/work_plans", draft, who["secretary"]) == plan
    await caller.post(f"/work_plans/{plan}/adopt", {}, who["secretary"])
    await caller.post(f"/work_plans/{plan}/revise", {**written, "reason": "责任人调离"}, who["secretary"])
    (entry,) = await items(caller, "/work_plans", unit_id=who["unit"], phase="phase1")
    assert (entry["status"], entry["revision"], entry["adopted_revision"]) == ("drafted", 2, 1)


async def test_a_month_is_assessed_and_a_miss_waived(caller: Caller) -> None:
    """R-33, R-36"""
    who = await found(caller)
    caller.clock.set(datetime(2010, 7, 20, tzinfo=UTC))
    about = {"campaign_id": who["campaign"], "unit_id": who["unit"], "chair_id": who["secretary"]}
    meeting = await caller.post("/meetings", a_meeting().model_dump(mode="json") | about, who["secretary"])
    comment = a_comment().model_dump(mode="json") | {"person_id": who["member"], "grade": 90}
    await caller.post(f"/meetings/{meeting}/comments", comment, who["leader"])
    assert [each["grade"] for each in await items(caller, "/comments", person_id=who["member"])] == [90]
    july = {"campaign_id": who["campaign"], "obligation": "monthly_committee", "starts_on": "2010-07-01"}
    assert (await caller.post("/obligations/rounds", july, status=409))["code"] == "obligation.not_over"
    caller.clock.set(datetime(2010, 8, 6, tzinfo=UTC))
    ripe = [each for each in await items(caller, "/obligations/rounds", campaign_id=who["campaign"]) if each["ripe"]]
    assert {(each["obligation"], each["starts_on"]) for each in ripe} >= {("monthly_committee", "2010-07-01")}
    round_id = await caller.post("/obligations/rounds", july)
    assert round_id in {each["round_id"] for each in ripe}
    outcomes = {each["owner"]["id"]: each["outcome"] for each in await items(caller, "/obligations", round_id=round_id)}
    assert outcomes == {who["unit"]: "met", who["other"]: "missed"}
    (missed,) = await items(caller, "/obligations", outcome="missed", obligation="monthly_committee")
    waiver = {"obligation_id": missed["obligation_id"], "reason": "尚无成员"}
    assert await caller.post(f"/obligations/rounds/{round_id}/waive", waiver) == round_id
    (waived,) = await items(caller, "/obligations", waived="true", campaign_id=who["campaign"], owner_id=who["other"])
    assert (waived["outcome"], waived["reason"]) == ("missed", "尚无成员")
    assert (await caller.client.get(f"/demo/obligations/rounds?campaign_id={who['unit']}")).status_code == 404


async def test_a_member_moves_and_the_emptied_unit_is_merged(caller: Caller) -> None:
    """R-06, C10"""
    who = await found(caller)
    move = {"from_unit_id": who["unit"], "to_unit_id": who["other"]}
    await caller.post(f"/memberships/{who['member']}/transfer", move)
    assert (await caller.post(f"/memberships/{who['secretary']}/transfer", move, status=409))["code"] == (
        "membership.secretary_stays"
    )
    await caller.post(f"/roles/{who['unit']}/secretary/end", {"person_id": who["secretary"]})
    await caller.post(f"/memberships/{who['secretary']}/transfer", move)
    await caller.post(f"/units/{who['unit']}/merge", {"into_unit_id": who["other"]})
    merged = {each["unit_id"]: each["merged_into"] for each in await items(caller, "/units")}
    assert merged == {who["committee"]: None, who["unit"]: who["other"], who["other"]: None}
    assert {each["person_id"] for each in await items(caller, "/memberships", unit_id=who["other"])} == {
        who["member"],
        who["secretary"],
    }


@pytest.mark.parametrize("path", ["/work_plans/{}/adopt", "/pledges/{}/verify", "/units/{}/merge"])
async def test_what_was_never_there_is_not_found(caller: Caller, path: str) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    bodies: dict[str, dict[str, Any]] = {"verify": {"item": 0}, "merge": {"into_unit_id": nowhere}, "adopt": {}}
    body = bodies[path.rsplit("/", 1)[1]]
    await caller.post(path.format(nowhere), body, status=404)
