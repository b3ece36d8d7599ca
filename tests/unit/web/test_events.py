"""What is published, on a page and for programs, and that it comes from here and nowhere else."""

import re
from dataclasses import replace
from datetime import date

import httpx
import jsonschema_rs
from fastapi import FastAPI

from avow.contracts.asyncapi import document
from avow.contracts.catalogue import every_public_event
from avow.contracts.ending import Ending
from avow.contracts.entries import entries
from avow.contracts.pledge import PledgeMade
from avow.contracts.words import EventWords, Words
from avow.web.events import install_events
from avow.web.events_page import events_page
from tests.unit.web.desk import client

ENDS = Ending(date(2026, 12, 1), date(2027, 6, 1), "pledge.made.v2")


def _ending() -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install_events(app, "pledge", "柜台", lambda: entries({PledgeMade: ENDS}))
    return client(app)


async def test_the_document_of_the_service_is_served() -> None:
    async with client() as desk:
        answer = await desk.get("/asyncapi.json")
    said = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert said == document("pledge", said["info"]["version"])


async def test_the_page_loads_only_what_we_serve_and_runs_nothing() -> None:
    async with client() as desk:
        answer = await desk.get("/docs/events")
        page = answer.text
        references = set(re.findall(r'(?:src|href)="([^"#]+)"', page))
        answers = {reference: await desk.get(f"/docs/{reference}") for reference in references}
    assert {reference: a.status_code for reference, a in answers.items() if a.status_code != 200} == {}
    assert "events/pledge.made.v1.json" in references
    assert "://" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert re.findall(r"<script|<style|\bstyle=|\bon[a-z]+=|javascript:", page) == []
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_every_event_has_an_article_the_contents_lead_to() -> None:
    async with client() as desk:
        page = (await desk.get("/docs/events")).text
    types = {event.type for event in every_public_event()}
    assert set(re.findall(r'<article id="([^"]+)"', page)) == types
    assert set(re.findall(r'href="#([^"]+)"', page)) == types


async def test_the_page_is_chinese_first_and_says_what_is_sealed() -> None:
    async with client() as desk:
        page = (await desk.get("/docs/events")).text
    article = page[page.index('<article id="pledge.made">') :].partition("</article>")[0]
    assert '<html lang="zh-CN">' in page
    assert "<title>公开事件目录 / Public events · 柜台 &amp; Desk</title>" in page
    assert '<h2>公开承诺 <span lang="en">Pledge made</span></h2>' in article
    assert article.index("文字从此冻结") < article.index("from which on its text is frozen")
    assert "加封 / sealed: scope/{scope}/{unit_id}" in article
    assert "<code>&lt;org&gt;.pledge.made</code>" in article
    assert "Avow 0.1.0" in article


def test_what_a_text_holds_is_shown_and_not_read() -> None:
    odd = '<b>`x` & "y"</b>'
    known = entries()[0]
    _, articles = events_page([replace(known, words=EventWords(odd, odd, Words(odd, odd)))])
    assert "<b>" not in articles
    assert "&lt;b&gt;<code>x</code> &amp; &quot;y&quot;&lt;/b&gt;" in articles


async def test_every_schema_is_served_as_the_one_it_is() -> None:
    async with client() as desk:
        for entry in entries():
            answer = await desk.get(f"/docs/events/{entry.name}.json")
            assert answer.json() == entry.schema
            assert answer.headers["content-type"] == "application/schema+json"
            assert "sunset" not in answer.headers
        envelope = (await desk.get("/docs/events/envelope.v1.json")).json()
        unknown = await desk.get("/docs/events/pledge.made.v9.json")
    jsonschema_rs.meta.validate(envelope)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "route.unknown")


async def test_an_announced_end_is_said_on_the_page_and_in_the_schemas_answer() -> None:
    async with _ending() as desk:
        page = (await desk.get("/docs/events")).text
        ending = await desk.get("/docs/events/pledge.made.v1.json")
        another = await desk.get("/docs/events/meeting.held.v1.json")
        said = (await desk.get("/asyncapi.json")).json()
    assert "2026-12-01 宣布：这一版式写到 2027-06-01，此后写作 <code>pledge.made.v2</code>。" in page
    assert "Announced on 2026-12-01: written until 2027-06-01, then <code>pledge.made.v2</code>." in page
    assert ending.headers["deprecation"] == "@1796083200"
    assert ending.headers["sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
    assert ending.headers["link"] == '</docs/events#pledge.made>; rel="sunset"'
    assert "deprecation" not in another.headers
    assert said["components"]["messages"]["pledge.made.v1"]["x-avow-ending"]["until"] == "2027-06-01"


async def test_without_an_announcement_nothing_is_said_to_end() -> None:
    async with client() as desk:
        assert 'class="ending"' not in (await desk.get("/docs/events")).text
