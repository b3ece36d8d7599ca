"""Every way a request can fail, seen from outside."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import structlog

from avow.web.problem import PROBLEM_TYPE, Problem
from tests.unit.web.desk import A_PLEDGE, a_service, client

KEY_TOO_SHORT = {"Idempotency-Key": "short"}
NOBODY = "/pledges/4f0c7a52-8d1e-4b7a-9c36-1d2e3f405162"


def problem(response: httpx.Response, status: int, code: str) -> Problem:
    """The problem a response states, after what every problem must be."""
    assert response.headers["content-type"] == PROBLEM_TYPE
    found = Problem.model_validate_json(response.content)
    assert (response.status_code, found.status, found.code) == (status, status, code)
    assert found.type == f"/problems/{code}"
    language = response.headers["content-language"]
    assert found.detail == (found.detail_en if language == "en" else found.detail_zh)
    assert response.headers["x-content-type-options"] == "nosniff"
    return found


async def post(body: object, **headers: str) -> httpx.Response:
    async with client() as desk:
        return await desk.post("/pledges", json=body, headers=headers)


async def get(path: str, **headers: str) -> httpx.Response:
    async with client() as desk:
        return await desk.get(path, headers=headers)


async def test_a_valid_request_goes_through() -> None:
    response = await post(A_PLEDGE)
    assert (response.status_code, response.json()) == (201, {"items": 1})


async def test_a_refusal_of_the_domain_carries_its_code_field_and_text() -> None:
    found = problem(await get(NOBODY), 404, "org.unknown")
    assert found.field == "pledge_id"
    assert found.detail_zh == "这里没有这个组织。"
    assert found.instance == NOBODY


async def test_a_person_reads_their_own_language() -> None:
    chinese, english = await get(NOBODY), await get(NOBODY, **{"Accept-Language": "en-GB, zh;q=0.5"})
    assert problem(chinese, 404, "org.unknown").title == "没有找到"
    assert problem(english, 404, "org.unknown").title == "Not found"
    assert (chinese.headers["content-language"], english.headers["content-language"]) == ("zh", "en")


async def test_a_code_without_a_text_is_still_answered_under_its_code() -> None:
    problem(await get("/refuse/pledge.not_approved"), 409, "pledge.not_approved")


async def test_what_is_worth_retrying_says_when() -> None:
    response = await get("/refuse/log.unavailable")
    problem(response, 503, "log.unavailable")
    assert response.headers["retry-after"] == "5"


async def test_a_refusal_raised_in_middleware_is_answered_too() -> None:
    response = await get(NOBODY, Authorization="Bearer wrong")
    problem(response, 401, "auth.required")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_an_address_nobody_serves() -> None:
    found = problem(await get("/nowhere/<b>?who=secret"), 404, "route.unknown")
    assert found.instance == "/nowhere/%3Cb%3E"


async def test_a_method_an_address_does_not_take_names_those_it_takes() -> None:
    async with client() as desk:
        response = await desk.put("/pledges", json={})
    found = problem(response, 405, "method.not_allowed")
    assert response.headers["allow"] == "POST"
    assert found.detail_en == "This address does not take PUT; it takes: POST."


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing", "items"),
        ([], "model_attributes_type", "body"),
        ({**A_PLEDGE, "surprise": 1}, "extra_forbidden", "surprise"),
        ({"items": [A_PLEDGE["items"][0], {"text": "x", "milestones": []}]}, "too_short", "items[1].milestones"),
        ({"items": [{"text": "x" * 21, "milestones": ["m"]}]}, "string_too_long", "items[0].text"),
        ({"items": [{"text": "x", "milestones": ["m"], "weight": 0}]}, "greater_than", "items[0].weight"),
        ({"items": [{"text": "x", "milestones": ["m"], "weight": "100.01"}]}, "less_than_equal", "items[0].weight"),
        ({"items": [{"text": "x", "milestones": ["m"], "weight": "1.001"}]}, "decimal_max_places", "items[0].weight"),
        ({**A_PLEDGE, "occurred_at": "yesterday"}, "datetime_from_date_parsing", "occurred_at"),
    ],
)
async def test_a_body_that_breaks_a_rule_names_the_field(body: object, code: str, field: str) -> None:
    found = problem(await post(body), 422, "request.invalid")
    assert [(error.code, error.field) for error in found.errors] == [(code, field)]
    assert found.field == field
    assert "1 处" in found.detail_zh


async def test_every_field_at_fault_is_listed() -> None:
    found = problem(await post({"items": [{}, {"text": 1}]}), 422, "request.invalid")
    fields = ["items[0].text", "items[0].milestones", "items[1].text", "items[1].milestones"]
    assert [error.field for error in found.errors] == fields
    assert found.errors[0].message_zh == "此项必填。"


async def test_faults_in_header_query_and_path_are_named_as_such() -> None:
    header = problem(await post(A_PLEDGE, **KEY_TOO_SHORT), 422, "request.invalid")
    elsewhere = problem(await get("/pledges/nobody?limit=1000"), 422, "request.invalid")
    assert header.field == "header.idempotency-key"
    assert [(e.field, e.code) for e in elsewhere.errors] == [
        ("path.pledge_id", "uuid_parsing"),
        ("query.limit", "less_than_equal"),
    ]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_characters_that_cannot_be_shown_have_their_own_code(text: str) -> None:
    async with client() as desk:
        body = json.dumps({"items": [{"text": text, "milestones": ["m"]}]})
        response = await desk.post("/pledges", content=body, headers={"Content-Type": "application/json"})
    assert problem(response, 422, "request.text_invalid").field == "items[0].text"


async def test_a_time_without_a_zone_has_its_own_code() -> None:
    found = problem(await post({**A_PLEDGE, "occurred_at": "2010-12-17T18:00:00"}), 422, "time.zone_missing")
    assert "+08:00" in found.todo_zh


@pytest.mark.parametrize(("content", "position"), [("{", 2), ('{"items": [}', 12), ("钟", 1), ('{"a":1}x', 8)])
async def test_malformed_json_says_where(content: str, position: int) -> None:
    async with client() as desk:
        response = await desk.post("/pledges", content=content, headers={"Content-Type": "application/json"})
    found = problem(response, 400, "request.malformed_json")
    assert found.detail_zh == f"请求正文不是合法的 JSON：读到第 {position} 个字符时出错。"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"items": ' + "9" * 5000 + "}"])
async def test_json_beyond_reason_is_refused(content: str) -> None:
    async with client() as desk:
        response = await desk.post("/pledges", content=content, headers={"Content-Type": "application/json"})
    problem(response, 400, "request.json_too_complex")


async def test_what_was_sent_is_never_repeated() -> None:
    secret = "钟若岚13800000000"
    answers = [
        await post({"items": secret}),
        await post({"items": [{"text": secret * 9, "milestones": secret, "weight": secret}]}),
        await post({**A_PLEDGE, "occurred_at": secret}),
        await get(f"/pledges/{NOBODY[-36:]}?limit={secret}"),
        await get("/fail"),
    ]
    assert [response.status_code for response in answers] == [422, 422, 422, 422, 500]
    for response in answers:
        assert "13800000000" not in response.text
        assert "钟若岚" not in response.text


async def test_a_field_name_that_is_not_unicode_is_answered() -> None:
    async with client() as desk:
        body = '{"items": [], "\\ud800": 1}'
        response = await desk.post("/pledges", content=body, headers={"Content-Type": "application/json"})
    assert problem(response, 422, "request.text_invalid").field == "body"


async def test_a_failure_is_answered_with_a_number_and_logged_without_what_it_said() -> None:
    with structlog.testing.capture_logs() as logs:
        found = problem(await get("/fail"), 500, "internal")
    [entry] = logs
    assert found.instance == f"urn:uuid:{entry['correlation_id']}"
    assert entry["correlation_id"] in found.detail_zh
    assert [line.split(" at ")[0] for line in entry["raised"]] == ["builtins.LookupError", "builtins.ValueError"]
    assert "desk.py" in entry["raised"][0]
    assert not any(person in json.dumps(entry, ensure_ascii=False) for person in ("钟若岚", "柳承远"))


async def test_a_failure_after_the_answer_began_is_logged_and_cuts_it_off() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/stream", "query_string": b"broken=1", "headers": []}
    with structlog.testing.capture_logs() as logs:
        await a_service()(scope, receive, send)
    assert [entry["event"] for entry in logs] == ["request.failed"]
    assert [message.get("body") for message in sent] == [None, b"1\n"]
