"""A small service to send requests to: one route for each thing that can go wrong."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import FastAPI, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from avow.kernel.ports import Ports, seeded
from avow.kernel.refusal import Refusal
from avow.web.catalogue import SHARED, Catalogue
from avow.web.docs import install_docs
from avow.web.events import install_events
from avow.web.headers import SecurityHeaders
from avow.web.limits import MEBIBYTE, BodyLimits
from avow.web.problem import install_problem_handlers
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES

CATALOGUE = Catalogue.load(SHARED)


def _printable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("request.text_invalid", "control characters")
    return text


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=20), AfterValidator(_printable)]
    milestones: Annotated[list[str], Field(min_length=1)]
    weight: Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)] = Decimal(1)


class Pledge(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Item]
    occurred_at: AwareDatetime | None = None


class Made(BaseModel):
    items: int


class _Guard:
    """Stands for authentication, which refuses outside the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Headers(scope=scope).get("authorization") == "Bearer wrong":
            raise Refusal("auth.required")
        await self._app(scope, receive, send)


def a_service(*, limit: int = MEBIBYTE) -> FastAPI:
    """A new application with everything of `avow.web` on it."""
    app = FastAPI(title="Desk", openapi_url=None, docs_url=None, redoc_url=None, responses=READ_RESPONSES)

    @app.post("/pledges", status_code=201, responses=COMMAND_RESPONSES)
    async def make(body: Pledge, idempotency_key: Annotated[str, Header(min_length=16)] = "k" * 16) -> Made:
        return Made(items=len(body.items))

    @app.get("/pledges/{pledge_id}")
    async def read(pledge_id: UUID, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Made:
        raise Refusal("org.unknown", "pledge_id", org=pledge_id)

    @app.get("/refuse/{code}")
    async def refuse(code: str) -> Made:
        raise Refusal(code)

    @app.get("/fail")
    async def fail() -> Made:
        try:
            raise ValueError("钟若岚 13800000000")
        except ValueError as error:
            raise LookupError("柳承远") from error

    @app.get("/stream")
    async def stream(broken: bool = False) -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            yield b"1\n"
            if broken:
                raise LookupError("柳承远")
            yield b"2\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    app.add_middleware(BodyLimits, catalogue=CATALOGUE, limit=limit)
    app.add_middleware(_Guard)
    install_problem_handlers(app, CATALOGUE, Ports(random_bytes=seeded(1)))
    app.add_middleware(SecurityHeaders)
    install_docs(app, "柜台 & Desk")
    install_events(app, "pledge", "柜台 & Desk")
    return app


def client(app: FastAPI | None = None) -> httpx.AsyncClient:
    """A client of `app`, or of a new service, in this process."""
    transport = httpx.ASGITransport(app=app or a_service())
    return httpx.AsyncClient(transport=transport, base_url="http://desk")


A_PLEDGE = {"items": [{"text": "每月接待日", "milestones": ["六月"]}]}
