"""The API's own description: `/openapi.json`, and `/docs` to read and try it.

Promises: the page loads nothing from anywhere else and runs no inline script; every file it loads is the one
`assets/manifest.json` states (tests/unit/web/test_docs.py). Whether one may see it is for authentication to say.
"""

import os
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from avow.web.headers import content_security_policy
from avow.web.responses import problem_schemas

_POLICY = content_security_policy(script_src="'self'", style_src="'self'", img_src="'self' data:", connect_src="'self'")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`, with the schemas of its problems and the operator's token.

    Its paths stand beside the document itself, so that they are right under a proxy's prefix too.
    """
    document = app.openapi()
    document.setdefault("servers", [{"url": "."}])
    components = document.setdefault("components", {})
    components["schemas"] = components.get("schemas", {}) | problem_schemas()
    components["securitySchemes"] = components.get("securitySchemes", {}) | {
        "operator": {"type": "http", "scheme": "bearer", "description": "The operator's token."}
    }
    document.setdefault("security", [{"operator": []}])
    return document


def install_docs(app: FastAPI, title: str) -> None:
    """Serve `/openapi.json` and `/docs`; ValueError if the framework's own pages are on, which load from outside."""
    if app.openapi_url or app.docs_url or app.redoc_url:
        raise ValueError("build the application with openapi_url=None, docs_url=None, redoc_url=None")
    template = files("avow.web").joinpath("templates", "docs.html").read_text("utf-8")
    page = Template(template).substitute(title=escape(title))

    async def docs(_: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    async def openapi(_: Request) -> Response:
        return JSONResponse(describe(app))

    app.add_route("/docs", docs, include_in_schema=False)
    app.add_route("/openapi.json", openapi, include_in_schema=False)
    app.mount("/docs/assets", _Assets(packages=[("avow.web", "assets")]))


class _Assets(StaticFiles):
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"  # kept, but asked after: the entity tag says if it changed
        return response
