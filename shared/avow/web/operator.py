"""The operator's token: the one key to a deployment that has no accounts yet, for reads and the feed too.

Promises: without the token nothing answers but `/health…`; it is compared in constant time and never logged. A browser
opens `/docs?token=…` once and gets a cookie that only this host receives, no script can read, and no write accepts.
A token of its own may open `/metrics`, and only that.
"""

import hmac
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from avow.kernel.refusal import Refusal
from avow.web.catalogue import Catalogue
from avow.web.problem import problem_response

OPEN = frozenset({"/health", "/health/live", "/health/ready"})
METRICS = "/metrics"
_SAFE = frozenset({"GET", "HEAD"})


class OperatorOnly:
    """Lets through what carries the operator's token and answers everything else with a problem."""

    def __init__(
        self, app: ASGIApp, token: str, cookie: str, catalogue: Catalogue, metrics_token: str | None = None
    ) -> None:
        self._app = app
        self._token = token
        self._metrics_token = metrics_token
        self._cookie = cookie
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Nothing here speaks it, so nobody needs to be let in.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (self._is_token(bearer.strip()) or self._may_count(scope, bearer.strip())):
            await self._app(scope, receive, send)
            return
        if self._by_cookie(headers):
            if scope["method"] in _SAFE:
                await self._app(scope, receive, send)
                return
            await problem_response(self._catalogue, scope, Refusal("auth.forbidden"))(scope, receive, send)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        if scope["method"] in _SAFE and any(name == "token" and self._is_token(value) for name, value in query):
            await self._enter(scope, query)(scope, receive, send)
            return
        await problem_response(self._catalogue, scope, Refusal("auth.required"))(scope, receive, send)

    def _may_count(self, scope: Scope, offered: str) -> bool:
        """Whether this is the token that opens what is counted, and nothing else."""
        return (
            scope["path"] == METRICS
            and self._metrics_token is not None
            and hmac.compare_digest(offered.encode("utf-8", "replace"), self._metrics_token.encode())
        )

    def _is_token(self, offered: str) -> bool:
        return hmac.compare_digest(offered.encode("utf-8", "replace"), self._token.encode())

    def _by_cookie(self, headers: Headers) -> bool:
        # Read like a browser does: on loopback the cookies of every other port come along, of whatever form.
        return self._is_token(cookie_parser(headers.get("cookie", "")).get(self._cookie, ""))

    def _enter(self, scope: Scope, query: list[tuple[str, str]]) -> RedirectResponse:
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # One leading slash, so that no path can be read as another host.
        path = "/" + scope["path"].lstrip("/")
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, status_code=303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer
