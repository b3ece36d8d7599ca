"""A campaign from its draft to a leader's comment, over HTTP, in the service as it is built."""

import pytest

from tests.unit.pledge.caller import Caller
from tests.unit.pledge.college import a_comment, a_draft, a_meeting


async def test_a_campaign_runs_from_its_draft_to_a_leaders_comment(caller: Caller) -> None:
    """R-01, R-06, R-26, R-29, R-33, R-36, R-56"""
    campaign = await caller.post("/campaigns", {"template": "cxzy-2010"})
    await caller.post(f"/campaigns/{campaign}/draft", {"template": "cxzy-2010", "ends_on": "2012-11-07"})
    await caller.post(f"/campaigns/{campaign}/approve", {})
    college = {"campaign_id": campaign, "name": "示例职业技术学院", "kind": "committee"}
    committee = await caller.post("/units", college)
    branch = {"campaign_id": campaign, "name": "药学系教工支部", "kind": "branch", "category": "teaching"}
    unit = await caller.post("/units", {**branch, "parent_id": committee})
    member, secretary, leader = [
        await caller.post("/people", {"name": name}) for name in ("钟若岚", "柳承远", "贺启明")
    ]
    for person in (member, secretary):
        await caller.post(f"/memberships/{person}/enrol", {"unit_id": unit, "standing": "full"})
    await caller.post(f"/roles/{unit}/secretary/appoint", {"campaign_id": campaign, "person_id": secretary})
    await caller.post(f"/roles/{committee}/lg_head/appoint", {"campaign_id": campaign, "person_id": leader})

    draft = a_draft().model_dump(mode="json", exclude_none=True)
    draft |= {"campaign_id": campaign, "unit_id": unit, "pledger": {"kind": "member", "id": member}}
    complete = [item | {"accountable_person_id": secretary} for item in draft["items"]]
    incomplete = [complete[0], {**complete[1], "milestones": []}]
    pledge = await caller.post("/pledges", {**draft, "items": incomplete}, member)
    refused = await caller.post(f"/pledges/{pledge}/submit", {}, member, status=422)
    assert (refused["code"], refused["field"]) == ("pledge.item_incomplete", "items[1].milestones")
    assert "时间节点" in refused["detail_zh"]
    assert "milestones" in refused["detail_en"]
    await caller.post(f"/pledges/{pledge}/draft", {**draft, "items": complete}, member)
    await caller.post(f"/pledges/{pledge}/submit", {}, member)
    await caller.post(f"/pledges/{pledge}/return", {"reason": "请写明时间节点"}, secretary)
    await caller.post(f"/pledges/{pledge}/draft", {**draft, "items": complete}, member)
    await caller.post(f"/pledges/{pledge}/submit", {}, member)
    await caller.post(f"/pledges/{pledge}/approve", {}, secretary)
    await caller.post(f"/pledges/{pledge}/make", {"channel": "website"}, member)

    of_the_unit = {"campaign_id": campaign, "unit_id": unit, "chair_id": secretary}
    meeting = await caller.post("/meetings", a_meeting().model_dump(mode="json") | of_the_unit, secretary)
    comment = a_comment().model_dump(mode="json") | {"grade": 90}
    assert await caller.post(f"/meetings/{meeting}/comments", comment, leader) == meeting

    (entry,) = (await caller.get("/pledges", unit_id=unit, scope="college"))["items"]
    assert (entry["pledge_id"], entry["pledger"]) == (pledge, {"kind": "member", "id": member})
    assert [words["goal"] for words in entry["wording"]] == ["让新生少跑一趟"] * 2
    assert (await caller.get("/meetings"))["items"][0]["comments"] == 1
    assert (await caller.get("/comments", meeting_id=meeting))["items"][0]["grade"] == 90
    assert (await caller.get("/campaigns"))["items"][0]["ends_on"] == "2012-11-07"
    assert (await caller.get(f"/campaigns/{campaign}"))["programme"]["ends_on"] == "2012-11-07"
    assert {entry["role"] for entry in (await caller.get("/roles"))["items"]} == {"secretary", "lg_head"}
    assert {entry["person_id"] for entry in (await caller.get("/memberships", unit_id=unit))["items"]} == {
        member,
        secretary,
    }


async def test_lists_are_read_page_by_page(caller: Caller) -> None:
    known = {await caller.post("/people", {"name": "钟若岚"}) for _ in range(5)}
    first = await caller.get("/people", limit=3)
    second = await caller.get("/people", limit=3, after=first["next"])
    assert [entry["person_id"] for page in (first, second) for entry in page["items"]] == sorted(known)
    assert second["next"] is None
    (campaign,) = [await caller.post("/campaigns", {"template": "cxzy-2010"})]
    await caller.post(f"/campaigns/{campaign}/approve", {})
    unit = await caller.post("/units", {"campaign_id": campaign, "name": "示例职业技术学院", "kind": "committee"})
    for person in known:
        await caller.post(f"/roles/{unit}/lg_member/appoint", {"campaign_id": campaign, "person_id": person})
    first = await caller.get("/roles", limit=3)
    second = await caller.get("/roles", limit=3, after=first["next"])
    assert [entry["person_id"] for page in (first, second) for entry in page["items"]] == sorted(known)


async def test_a_repeated_request_creates_nothing_twice(caller: Caller) -> None:
    caller.keys = iter([7, 7])
    first, second = [await caller.post("/people", {"name": "钟若岚"}) for _ in range(2)]
    assert first == second
    assert len((await caller.get("/people"))["items"]) == 1


async def test_what_was_never_there_is_not_found(caller: Caller) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert (await caller.client.get(f"/demo/campaigns/{nowhere}")).json()["code"] == "campaign.unknown"
    for path, body, code in (
        (f"/pledges/{nowhere}/submit", {}, "pledge.unknown"),
        (f"/meetings/{nowhere}/comments", a_comment(nowhere).model_dump(mode="json"), "meeting.unknown"),
        (f"/memberships/{nowhere}/leave", {"unit_id": nowhere}, "person.unknown"),
        (f"/roles/{nowhere}/secretary/end", {"person_id": nowhere}, "unit.unknown"),
    ):
        assert (await caller.post(path, body, status=404))["code"] == code


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2010-09-01T00:00:00"])
async def test_a_moment_nobody_can_place_is_refused(caller: Caller, at: str) -> None:
    for path in ("/roles", "/memberships"):
        query = {"at": at, "unit_id": "00000000-0000-4000-8000-000000000000"}
        answer = await caller.client.get(f"/demo{path}", params=query)
        assert (answer.status_code, answer.json()["field"]) == (422, "query.at")
