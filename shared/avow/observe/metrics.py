"""What a running process counts, as Prometheus reads it: one registry a service.

Requests are counted as they are answered; everything else is read off the parts of the service when it is asked for, so
that nothing is added to their work. Promises: a label is a route, a kind, a state, a projection or an organisation,
never an identity (tests/integration/test_metrics.py).
Limit: each process tells of itself; what all of them did together is for whoever collects it to add up.
"""

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OUTCOMES = {2: "done", 3: "done", 4: "refused", 5: "failed"}


class Metrics:
    """The registry of a service, and what is counted as it happens."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "avow_requests",
            "Requests answered; `refused` by a rule, `failed` by a fault.",
            ("service", "method", "route", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "avow_request_seconds",
            "How long requests took, up to the last byte of their answers.",
            ("service", "method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._service = service
        self._counted: dict[tuple[str, str, str], Counter] = {}
        self._timed: dict[tuple[str, str], Histogram] = {}

    def add(self, collector: Collector) -> None:
        """Let what this tells be told too."""
        self.registry.register(collector)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        outcome = _OUTCOMES.get(status // 100, "failed")
        # Finding the child by its labels costs more than counting.
        counted = self._counted.get((method, route, outcome))
        if counted is None:
            counted = self._requests.labels(self._service, method, route, outcome)
            self._counted[method, route, outcome] = counted
        counted.inc()
        timed = self._timed.get((method, route))
        if timed is None:
            timed = self._timed[method, route] = self._seconds.labels(self._service, method, route)
        timed.observe(seconds)


class Measured:
    """Counts every request under the route that answered it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.answered(method_of(scope), route_of(scope), status, perf_counter() - begun)


def method_of(scope: Scope) -> str:
    """The method of a request; one that nobody knows is `other`."""
    method: str = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"


def route_of(scope: Scope) -> str:
    """The path of the route that answers, with its parameters' names; `none` where there is no such route."""
    path: str = getattr(scope.get("route"), "path", "none")
    return path
