"""An id for every request: its log lines, its events and the answer to its failure share it.

Promises: what is said while a request is answered carries its id, the service and, where it has a book here, the
organisation; never the path, which may hold anything (tests/integration/test_canary.py).
Limit: the id is this service's own; a client's trace is followed by `traceparent`.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from avow.kernel.ports import Ports
from avow.observe.asked import asked

Knows = Callable[[str], bool]
"""Whether an organisation has a book here."""


class Correlated:
    """Binds the id of each request to whatever is logged meanwhile."""

    def __init__(self, app: ASGIApp, service: str, ports: Ports, knows: Knows) -> None:
        self._app = app
        self._service = service
        self._ports = ports
        self._knows = knows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = self._ports.new_id()
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        first = scope["path"].split("/", 2)[1:2]
        org = first[0] if first and self._knows(first[0]) else None
        with asked(self._service, correlation_id, org):
            await self._app(scope, receive, send)
