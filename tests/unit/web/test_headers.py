"""Security headers on whatever is answered."""

import pytest

from avow.web.headers import HEADERS, content_security_policy
from tests.unit.web.desk import client


@pytest.mark.parametrize("path", ["/stream", "/nowhere", "/fail", "/openapi.json"])
async def test_every_answer_has_them(path: str) -> None:
    async with client() as desk:
        response = await desk.get(path)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


async def test_an_answer_to_a_refused_body_has_them_too() -> None:
    async with client() as desk:
        response = await desk.post("/pledges", content=b"x")
    assert response.status_code == 415
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_page_brings_its_own_policy_and_keeps_the_rest() -> None:
    async with client() as desk:
        response = await desk.get("/docs")
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["cache-control"] == "no-store"


def test_a_policy_allows_nothing_but_what_it_is_given() -> None:
    assert content_security_policy(img_src="'self'") == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src 'self'"
    )
