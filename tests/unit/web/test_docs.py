"""The API's own description, and that it comes from here and nowhere else."""

import re
from hashlib import sha256
from importlib.resources import files
from json import loads
from pathlib import Path

import jsonschema_rs
import pytest
from fastapi import FastAPI

from avow.web.docs import install_docs
from tests.unit.web.desk import a_service, client

ASSETS = Path(str(files("avow.web"))) / "assets"
MANIFEST = loads((ASSETS / "manifest.json").read_text("utf-8"))
OURS = {"manifest.json", "docs/docs.css", "docs/docs.js", "docs/events.css"}
OUTSIDE = {
    ".css": r"""@import|url\((?!\s*["']?data:)""",
    ".js": r"""importScripts|\bimport\(|\.src\s*=\s*["'`](?:https?:)?//|"""
    r"""(?:fetch|open|EventSource|WebSocket|Worker)\(\s*["'`](?:(?:https?|wss?):)?//""",
}


def test_every_file_from_others_is_the_one_the_manifest_states() -> None:
    stated = {name: digest for package in MANIFEST for name, digest in package["files"].items()}
    present = {path.relative_to(ASSETS).as_posix(): path for path in ASSETS.rglob("*") if path.is_file()}
    assert stated == {name: sha256(path.read_bytes()).hexdigest() for name, path in present.items() if name not in OURS}
    assert present.keys() >= OURS


def test_every_package_from_others_states_its_version_and_carries_its_licence() -> None:
    for package in MANIFEST:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert package["licence"]
        assert any(name.endswith("/LICENSE") for name in package["files"]), package["name"]


@pytest.mark.parametrize("path", [*ASSETS.rglob("*.css"), *ASSETS.rglob("*.js")], ids=lambda path: path.name)
def test_no_asset_loads_anything_from_outside(path: Path) -> None:
    assert re.findall(OUTSIDE[path.suffix], path.read_text("utf-8")) == []


async def test_the_page_loads_only_what_we_serve_and_runs_nothing_inline() -> None:
    async with client() as desk:
        page = (await desk.get("/docs")).text
        references = re.findall(r'(?:src|href)="([^"]*)"', page)
        answers = [await desk.get(f"/{reference}") for reference in references]
    assert len(references) == 8
    assert [answer.status_code for answer in answers] == [200] * 8
    assert "://" not in page
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=|javascript:", page) == []


async def test_the_page_is_titled_chinese_first() -> None:
    async with client() as desk:
        page = (await desk.get("/docs")).text
    assert '<html lang="zh-CN">' in page
    assert "<title>接口文档 / API reference · 柜台 &amp; Desk</title>" in page


def test_the_page_keeps_no_token_and_asks_no_validator() -> None:
    script = (ASSETS / "docs/docs.js").read_text("utf-8")
    assert "persistAuthorization: false" in script
    assert "validatorUrl: null" in script
    assert "http" not in script


async def test_an_asset_is_asked_after_and_not_sent_again() -> None:
    async with client() as desk:
        first = await desk.get("/docs/assets/docs/docs.js")
        again = await desk.get("/docs/assets/docs/docs.js", headers={"If-None-Match": first.headers["etag"]})
        outside = await desk.get("/docs/assets/..%2f..%2fdocs.py")
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert outside.status_code == 404


async def test_every_error_answer_is_described_as_a_problem() -> None:
    async with client() as desk:
        document = (await desk.get("/openapi.json")).json()
    operations = [(path, operation) for path in document["paths"].values() for operation in path.values()]
    for _, operation in operations:
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
        assert {"401", "422", "500", "503"} <= errors.keys()
        for answer in errors.values():
            schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
            assert answer["content"] == {"application/problem+json": schema}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["security"] == [{"operator": []}]


async def test_a_problem_fits_the_schema_it_is_described_by() -> None:
    async with client() as desk:
        document = (await desk.get("/openapi.json")).json()
        answers = [await desk.post("/pledges", json={"items": [{}]}), await desk.get("/fail"), await desk.get("/no")]
    schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema)
    for answer in answers:
        validator.validate(answer.json())
    assert not validator.is_valid({"code": "internal"})


async def test_asking_twice_gives_the_same_description() -> None:
    async with client() as desk:
        assert (await desk.get("/openapi.json")).json() == (await desk.get("/openapi.json")).json()


def test_the_frameworks_own_pages_are_refused() -> None:
    with pytest.raises(ValueError, match="docs_url=None"):
        install_docs(FastAPI(), "Desk")


def test_no_route_of_ours_is_in_the_description() -> None:
    assert set(a_service().openapi()["paths"]) == {
        "/pledges",
        "/pledges/{pledge_id}",
        "/refuse/{code}",
        "/fail",
        "/stream",
    }
