"""What the services publish, for whoever subscribes: `/asyncapi.json`, the page `/docs/events`, and the JSON Schemas.

Promises: all of it is made of the catalogue; the page loads nothing from anywhere else and runs no script
(tests/unit/web/test_events.py). A schema whose end was announced says so in its answer too: `Deprecation` (RFC 9745)
and `Sunset` (RFC 8594). Whether one may see it is for authentication to say, as with `/docs`.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from string import Template

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from avow.contracts.asyncapi import document
from avow.contracts.ending import Ending
from avow.contracts.entries import Entry, entries
from avow.contracts.envelope_schema import NAME as ENVELOPE
from avow.contracts.envelope_schema import envelope_schema
from avow.web.events_page import escaped, events_page
from avow.web.headers import content_security_policy

_POLICY = content_security_policy(style_src="'self'", img_src="'self'")
SCHEMA_JSON = "application/schema+json"
Catalogue = Callable[[], tuple[Entry, ...]]


def install_events(app: FastAPI, service: str, title: str, catalogue: Catalogue = entries) -> None:
    """Serve what `service` publishes; made once, when it is first asked for."""
    # Made late, so that starting a service does not wait for it.
    said = cache(catalogue)
    template = files("avow.web").joinpath("templates", "events.html").read_text("utf-8")

    @cache
    def page() -> str:
        contents, articles = events_page(said())
        return Template(template).substitute(title=escaped(title), contents=contents, entries=articles)

    @cache
    def described() -> bytes:
        return bytes(JSONResponse(document(service, version("avow"), said())).body)

    async def asyncapi(_: Request) -> Response:
        return Response(described(), media_type="application/json")

    async def events(_: Request) -> Response:
        return HTMLResponse(page(), headers={"Content-Security-Policy": _POLICY})

    async def schema(request: Request) -> Response:
        name = request.path_params["name"]
        if name == ENVELOPE:
            return JSONResponse(envelope_schema(), media_type=SCHEMA_JSON)
        for entry in said():
            if entry.name == name:
                return JSONResponse(entry.schema, headers=_announced(entry), media_type=SCHEMA_JSON)
        raise HTTPException(404)

    app.add_route("/asyncapi.json", asyncapi, include_in_schema=False)
    app.add_route("/docs/events", events, include_in_schema=False)
    app.add_route("/docs/events/{name}.json", schema, include_in_schema=False)


def _announced(entry: Entry) -> dict[str, str]:
    ending: Ending | None = entry.ending
    if ending is None:
        return {}
    return {
        "Deprecation": f"@{int(_start(ending.since).timestamp())}",
        "Sunset": format_datetime(_start(ending.until), usegmt=True),
        "Link": f'</docs/events#{entry.event.type}>; rel="sunset"',
    }


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
