"""The door: the operator's token opens everything, a subscriber's what is public of their organisations.

Promises: without a token nothing answers but `/health…`; the operator's is compared in constant time, and none is ever
logged. A subscriber reads feeds, the documents and nothing else, whatever the method and however the path is written
(tests/integration/test_subscriber_tokens.py); a live stream ends soon after its token was revoked. A browser opens
`/docs?token=…` once and gets a cookie that only this host receives, no script can read, and no write accepts.
A token of its own may open `/metrics`, and only that.
"""

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avow.bus.subscribers import Subscriber, looks_like_a_token
from avow.kernel.refusal import Refusal
from avow.web.catalogue import Catalogue
from avow.web.problem import problem_response

OPEN = frozenset({"/health", "/health/live", "/health/ready"})
METRICS = "/metrics"
LOOK_AGAIN = 5.0
"""Seconds after which a stream asks whether its token still opens anything."""
_SAFE = frozenset({"GET", "HEAD"})
_FEED = re.compile(r"/([a-z][a-z0-9-]{0,31})/feed(?:/head|/live)?")
_DOCUMENTS = re.compile(r"/(?:health|docs|contracts)(?:/.*)?|/(?:openapi|asyncapi)\.json")

Admit = Callable[[str], Awaitable[Subscriber | None]]
"""Whose token this is; raises Refusal where that cannot be found out."""


class _Revoked(Exception):
    """The token a stream was opened with opens nothing any more."""


async def nobody(_: str) -> Subscriber | None:
    """Where nobody subscribes."""
    return None


class Door:
    """Lets through what carries a token that opens it, and answers everything else with a problem."""

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        cookie: str,
        catalogue: Catalogue,
        admit: Admit = nobody,
        metrics: str | None = None,
    ) -> None:
        self._app = app
        self._metrics_token = metrics
        self._token = token
        self._cookie = cookie
        self._catalogue = catalogue
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Nothing here speaks it, so nobody needs to be let in.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            await self._ask(scope, receive, send)
        except Refusal as refusal:
            await problem_response(self._catalogue, scope, refusal)(scope, receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        bearer = bearer.strip()
        if scheme.lower() == "bearer" and (self._is_token(bearer) or self._may_count(scope, bearer)):
            await self._app(scope, receive, send)
        elif scheme.lower() == "bearer" and (guest := await self._guest(bearer)) is not None:
            if not _may(guest, scope):
                raise Refusal("auth.not_for_subscribers")
            await self._serve(bearer, scope, receive, send)
        elif self._by_cookie(headers):
            if scope["method"] not in _SAFE:
                raise Refusal("auth.forbidden")
            await self._app(scope, receive, send)
        elif (query := self._token_in_address(scope)) is not None:
            await self._enter(scope, query)(scope, receive, send)
        else:
            raise Refusal("auth.required")

    async def _guest(self, token: str) -> Subscriber | None:
        return await self._admit(token) if looks_like_a_token(token) else None

    async def _serve(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a subscriber for as long as the token opens anything; a stream that may not go on is cut off."""
        loop = asyncio.get_running_loop()
        due = loop.time() + LOOK_AGAIN

        async def watched(message: Message) -> None:
            nonlocal due
            if loop.time() >= due:
                if await self._guest(token) is None:
                    raise _Revoked
                due = loop.time() + LOOK_AGAIN
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except _Revoked:
            return

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

    def _token_in_address(self, scope: Scope) -> list[tuple[str, str]] | None:
        """The address's query, where it shows the operator's token."""
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        shown = any(name == "token" and self._is_token(value) for name, value in query)
        return query if shown and scope["method"] in _SAFE else None

    def _enter(self, scope: Scope, query: list[tuple[str, str]]) -> RedirectResponse:
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # One leading slash, so that no path can be read as another host.
        path = "/" + scope["path"].lstrip("/")
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, status_code=303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer


def _may(guest: Subscriber, scope: Scope) -> bool:
    """Whether a subscriber may ask this."""
    if scope["method"] not in _SAFE:
        return False
    feed = _FEED.fullmatch(scope["path"])
    return feed[1] in guest.orgs if feed else _DOCUMENTS.fullmatch(scope["path"]) is not None
