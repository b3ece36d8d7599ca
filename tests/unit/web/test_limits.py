"""What a request body may be."""

from collections.abc import AsyncIterator

import pytest

from avow.web.limits import MEBIBYTE
from tests.unit.web.desk import A_PLEDGE, a_service, client
from tests.unit.web.test_problem import problem

JSON = {"Content-Type": "application/json"}


class Upload:
    """Ten mebibytes in chunks, counting those that were asked for."""

    def __init__(self) -> None:
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(160):
            self.read += 1
            yield b" " * 65536


async def test_a_body_of_ten_megabytes_is_refused_by_its_announced_length_and_not_read() -> None:
    upload = Upload()
    async with client() as desk:
        response = await desk.post("/pledges", content=upload, headers=JSON | {"Content-Length": str(10 * MEBIBYTE)})
    assert str(MEBIBYTE) in problem(response, 413, "request.too_large").detail_zh
    assert upload.read == 0
    assert response.headers["connection"] == "close"


async def test_a_body_of_unknown_length_is_refused_at_the_first_chunk_beyond_the_limit() -> None:
    upload = Upload()
    async with client() as desk:
        response = await desk.post("/pledges", content=upload, headers=JSON)
    problem(response, 413, "request.too_large")
    assert upload.read == MEBIBYTE // 65536 + 1


async def test_a_body_longer_than_it_announced_is_refused_all_the_same() -> None:
    async with client(a_service(limit=100)) as desk:
        response = await desk.post("/pledges", content=Upload(), headers=JSON | {"Content-Length": "5"})
    problem(response, 413, "request.too_large")


@pytest.mark.parametrize(("size", "status"), [(100, 201), (101, 413)])
async def test_the_limit_itself_is_allowed(size: int, status: int) -> None:
    content = b'{"items": []}'.ljust(size)
    async with client(a_service(limit=100)) as desk:
        assert (await desk.post("/pledges", content=content, headers=JSON)).status_code == status


@pytest.mark.parametrize("content", ['{"items": "钟"}'.encode("gbk"), b'{"items": "\xe9\x92', b"\xff\xfe{}"])
async def test_a_body_that_is_not_utf8_is_refused(content: bytes) -> None:
    async with client() as desk:
        response = await desk.post("/pledges", content=content, headers=JSON)
    assert "GBK" in problem(response, 400, "request.not_utf8").todo_zh


async def test_a_character_split_between_chunks_is_still_utf8() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        whole = '{"items": [{"text": "钟", "milestones": ["六"]}]}'.encode()
        for byte in whole:
            yield bytes((byte,))

    async with client() as desk:
        assert (await desk.post("/pledges", content=chunks(), headers=JSON)).status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_a_body_that_is_not_announced_as_json_is_refused(media_type: str) -> None:
    async with client() as desk:
        response = await desk.post("/pledges", content=b"{}", headers={"Content-Type": media_type})
    problem(response, 415, "request.media_type")


async def test_the_type_may_name_its_encoding() -> None:
    async with client() as desk:
        headers = {"Content-Type": "Application/JSON; charset=utf-8"}
        assert (await desk.post("/pledges", content=b'{"items": []}', headers=headers)).status_code == 201


async def test_a_command_without_a_body_needs_no_type() -> None:
    async with client() as desk:
        response = await desk.post("/pledges")
    assert problem(response, 422, "request.invalid").field == "body"


async def test_an_answer_streams_through() -> None:
    async with client() as desk:
        assert (await desk.get("/stream")).text == "1\n2\n"


async def test_a_client_that_goes_away_is_not_answered() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        pytest.fail(f"answered {message}")

    headers = [(b"content-type", b"application/json"), (b"content-length", b"9")]
    await a_service()({"type": "http", "method": "POST", "path": "/pledges", "headers": headers}, receive, send)


async def test_small_bodies_reach_the_route_whole() -> None:
    async with client() as desk:
        assert (await desk.post("/pledges", json=A_PLEDGE)).json() == {"items": 1}
