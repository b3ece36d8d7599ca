"""Security headers on every answer.

Promises: nothing we answer may be framed, sniffed or stored, or load anything from anywhere, unless the answer itself
says otherwise: a page brings its own Content-Security-Policy (tests/unit/web/test_headers.py).
Limit: Strict-Transport-Security is for whoever ends TLS.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_security_policy(**sources: str) -> str:
    """A policy that allows nothing but `sources`, such as `script_src="'self'"`."""
    rules = {"default_src": "'none'", "base_uri": "'none'", "form_action": "'none'", "frame_ancestors": "'none'"}
    return "; ".join(f"{name.replace('_', '-')} {value}" for name, value in (rules | sources).items())


HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class SecurityHeaders:
    """Adds `HEADERS` to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                own = {name for name, _ in headers}
                message["headers"] = [*headers, *(entry for entry in _ENCODED if entry[0] not in own)]
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)
