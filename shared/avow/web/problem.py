"""Every error answer is a problem (RFC 9457) with a stable code, in Chinese and English, saying what to do next.

Promises: whatever a route, a dependency or an inner middleware raises becomes `application/problem+json`; no answer and
no log line repeats what was sent or what an exception says (tests/unit/web/test_problem.py).
Limit: once an answer has begun to stream, a failure can only cut it off.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avow.kernel.ports import Ports
from avow.kernel.refusal import Refusal
from avow.observe.raised import raised
from avow.web.catalogue import REFUSED, Catalogue, phrases, preferred_language
from avow.web.validation import FieldError, common_code, field_errors

PROBLEM_TYPE = "application/problem+json"
_CODES = {
    400: "request.json_too_complex",
    401: "auth.required",
    404: "route.unknown",
    405: "method.not_allowed",
    413: "request.too_large",
    415: "request.media_type",
}
_log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """Why a request was not carried out, and what to do."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="A relative URI naming the kind of problem: `/problems/` and the code.")
    title: str = Field(description="The meaning of the status, in the language of `detail`.")
    status: int = Field(ge=400, le=599)
    code: str = Field(description="The stable code a program may act on.")
    detail: str = Field(description="What happened, in the language asked for by Accept-Language; Chinese by default.")
    detail_zh: str
    detail_en: str
    todo_zh: str
    todo_en: str
    field: str | None = Field(description="The field at fault, the first if there are several.")
    errors: list[FieldError] = Field(description="Every field at fault, where there can be several.")
    instance: str = Field(description="The path asked for; for a failure of ours `urn:uuid:` and its correlation id.")


def problem_response(
    catalogue: Catalogue,
    scope: Scope,
    refusal: Refusal,
    *,
    errors: Sequence[FieldError] = (),
    status: int | None = None,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says `refusal`; `status` and `instance` instead of the catalogue's and the path, where given."""
    language = preferred_language(Headers(scope=scope).get("accept-language"))
    message = catalogue.message(refusal.code, refusal.params)
    status = status or message.status
    titles = phrases("title")
    title = titles.get(str(status)) or titles["500" if status >= 500 else "400"]
    problem = Problem(
        type=f"/problems/{refusal.code}",
        title=getattr(title, language),
        status=status,
        code=refusal.code,
        detail=getattr(message, language),
        detail_zh=message.zh,
        detail_en=message.en,
        todo_zh=message.todo_zh,
        todo_en=message.todo_en,
        field=refusal.field,
        errors=list(errors),
        instance=instance or quote(scope["path"], errors="replace"),
    )
    said = {"Content-Language": language, "Vary": "Accept-Language"}
    if status == 401:
        said["WWW-Authenticate"] = 'Bearer realm="avow"'
    if message.retry_after:
        said["Retry-After"] = str(message.retry_after)
    return Response(problem.model_dump_json(), status, said | dict(headers or {}), PROBLEM_TYPE)


def install_problem_handlers(app: FastAPI, catalogue: Catalogue, ports: Ports | None = None) -> None:
    """Answer refusals, invalid requests, unknown routes and failures of `app` as problems.

    Middleware added before this call is inside the last resort, middleware added after it is outside.
    """

    async def refused(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, Refusal)
        return problem_response(catalogue, request.scope, exc)

    async def invalid(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        found = exc.errors()
        malformed = next((error for error in found if error["type"] == "json_invalid"), None)
        if malformed is not None:
            refusal = Refusal("request.malformed_json", position=malformed["loc"][-1] + 1)
            return problem_response(catalogue, request.scope, refusal)
        errors = field_errors(found, catalogue)
        refusal = Refusal(common_code(errors, catalogue), errors[0].field, count=len(found))
        return problem_response(catalogue, request.scope, refusal, errors=errors)

    async def http(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        headers = dict(exc.headers or {})
        refusal = Refusal(_CODES.get(exc.status_code, REFUSED), method=request.method, allowed=headers.get("Allow", ""))
        return problem_response(catalogue, request.scope, refusal, status=exc.status_code, headers=headers)

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_middleware(LastResort, catalogue=catalogue, ports=ports or Ports())


class LastResort:
    """Answers what no handler did: refusals raised in middleware, and failures, as 500 with a correlation id.

    The id is the request state's `correlation_id` where a middleware has set one. The log gets the id, the kinds of
    exception and where they were raised, not their messages: those may quote personal data.
    """

    def __init__(self, app: ASGIApp, catalogue: Catalogue, ports: Ports) -> None:
        self._app = app
        self._catalogue = catalogue
        self._ports = ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as exc:  # noqa: BLE001
            response = self._answer(scope, exc)
            if not begun:
                await response(scope, receive, send)

    def _answer(self, scope: Scope, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            return problem_response(self._catalogue, scope, exc)
        correlation_id: UUID = scope.get("state", {}).get("correlation_id") or self._ports.new_id()
        _log.error(
            "request.failed",
            correlation_id=str(correlation_id),
            method=scope["method"],
            route=getattr(scope.get("route"), "path", None),
            raised=raised(exc),
        )
        refusal = Refusal("internal", correlation_id=correlation_id)
        return problem_response(self._catalogue, scope, refusal, instance=f"urn:uuid:{correlation_id}")
