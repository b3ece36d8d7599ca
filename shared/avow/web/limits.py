"""What a request body may be: JSON in UTF-8 of a bounded size, whatever the route.

Promises: a body that is too large is refused by its announced length or at the first chunk beyond the limit, and never
read to its end; the route sees only bodies that are small, UTF-8 and announced as JSON (tests/unit/web/test_limits.py).
Answers stream through untouched.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avow.kernel.refusal import Refusal
from avow.web.catalogue import Catalogue
from avow.web.problem import problem_response

MEBIBYTE = 1024 * 1024


class BodyLimits:
    """Reads a request's body, at most `limit` bytes, before the application is called."""

    def __init__(self, app: ASGIApp, catalogue: Catalogue, limit: int = MEBIBYTE) -> None:
        self._app = app
        self._catalogue = catalogue
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _announces_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(headers, receive)
        except Refusal as refusal:
            # What is left of a body that is too large stays unread, so the connection cannot carry another request.
            close = {"Connection": "close"} if refusal.code == "request.too_large" else {}
            response = problem_response(self._catalogue, scope, refusal, headers=close)
            await response(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _once(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body, or None if the client went away."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limit:
            raise Refusal("request.too_large", limit=self._limit)
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk, more = message.get("body", b""), message.get("more_body", False)
            if (size := size + len(chunk)) > self._limit:
                raise Refusal("request.too_large", limit=self._limit)
            chunks.append(chunk)
        # Looked at once it is read whole: to answer before, and close, would cut off whoever is still sending.
        body = b"".join(chunks)
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal("request.media_type", "header.content-type")
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Refusal("request.not_utf8") from error
        return body


def _announces_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _once(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
