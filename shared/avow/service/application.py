"""A service's web application: its routers, the feed, its health, and everything that guards them."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from avow.bus import place
from avow.bus.feed import FeedSource, feed_router
from avow.bus.keys import keys_router
from avow.bus.subscribers import Subscriber, holder_of
from avow.eventlog.append import read_head
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.database import AWAY
from avow.eventlog.faults import fault_of
from avow.eventlog.tables import event
from avow.kernel.refusal import Refusal
from avow.observe.metrics import Measured, Metrics
from avow.projections.projector import position_of
from avow.service.gauges import Gauges
from avow.service.service import Service
from avow.web.call import Org, service_of
from avow.web.catalogue import Catalogue
from avow.web.correlation import Correlated
from avow.web.docs import install_docs
from avow.web.door import Admit, Door
from avow.web.events import install_events
from avow.web.headers import SecurityHeaders
from avow.web.limits import BodyLimits
from avow.web.problem import install_problem_handlers, problem_response
from avow.web.responses import READ_RESPONSES

_log = structlog.get_logger(__name__)

_NONE_OF_ITS_OWN: TelemetryConfig = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
}  # fmt: skip
"""FastAPI's spans say the path of every request, ballots too, and its records what exceptions say."""


class ViewState(BaseModel):
    """How far a projection is; `stopped` says why it does not go on."""

    name: str
    version: int
    position: int
    behind: int = Field(description="How many events of the log it has not taken in.")
    behind_seconds: int = Field(description="How long ago the first of them was recorded; 0 where there is none.")
    stopped: str | None


class Status(BaseModel):
    """Where a book stands in this service."""

    service: str
    org: str
    log_id: str
    clock: str
    position: int
    sequence: int
    views: list[ViewState]
    follows: dict[str, Any] | None
    publishes: dict[str, Any] | None
    paused: dict[str, str] = Field(description="What a person has paused of `relay` and `import`, and why.")


def build_application(
    service: Service,
    routers: Sequence[APIRouter],
    catalogue: Catalogue,
    title: str,
    token: str,
    metrics_token: SecretStr | None = None,
) -> FastAPI:
    """The application of a service that will be started before the first request.

    What it counts is told to the operator, and to whoever has `metrics_token`.
    """
    app = FastAPI(title=title, openapi_url=None, docs_url=None, redoc_url=None, telemetry=_NONE_OF_ITS_OWN)
    app.state.service = service
    feed = feed_router(FeedSource(service.database, service.grown, service.closing))
    for router in (_status, *routers, feed, keys_router(service.database)):
        # As one flat list: an included router would be asked for its route twice.
        app.router.routes.extend(router.routes)

    async def health(_: object) -> JSONResponse:
        state = service.health()
        return JSONResponse({"status": state["status"]}, 200 if state["status"] == "ok" else 503)

    app.add_route("/health", health, include_in_schema=False)
    app.add_route("/health/live", partial(_live, service), include_in_schema=False)
    app.add_route("/health/ready", partial(_ready, service), include_in_schema=False)
    metrics = Metrics(service.name)
    metrics.add(Gauges(service))
    app.add_route("/metrics", partial(_metrics, metrics), include_in_schema=False)
    app.add_middleware(BodyLimits, catalogue=catalogue)
    scraper = metrics_token.get_secret_value() if metrics_token else None
    app.add_middleware(
        Door, token=token, cookie=f"avow_{service.name}", catalogue=catalogue, admit=_admits(service), metrics=scraper
    )
    install_problem_handlers(app, catalogue, service.ports)
    _answer_for_the_log(app, catalogue)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(Correlated, service=service.name, ports=service.ports, knows=service.knows)
    install_docs(app, title)
    install_events(app, service.name, title)
    return app


async def _live(service: Service, _: Request) -> JSONResponse:
    """Whether this process answers, and every task of its is alive; if not, it is to be started anew."""
    ended = service.dead_tasks()
    return JSONResponse({"status": "degraded" if ended else "ok", "ended": ended}, 503 if ended else 200)


async def _ready(service: Service, _: Request) -> JSONResponse:
    """Whether every part of this process does its work; what does not is named, and what a person paused is said."""
    still = service.progress.standing_still(asyncio.get_running_loop().time())
    said = {"status": "degraded" if still else "ok", "standing_still": still, "paused": service.progress.paused()}
    return JSONResponse(said, 503 if still else 200)


async def _metrics(metrics: Metrics, _: Request) -> Response:
    """Everything counted, as Prometheus reads it."""
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _admits(service: Service) -> Admit:
    """Looks a subscriber's token up; what ails the database is a Refusal here, before any route is asked."""

    async def admit(token: str) -> Subscriber | None:
        try:
            return await service.database.read(partial(holder_of, token=token))
        except AWAY as error:
            fault = fault_of(error)
            if fault is None:
                raise
            raise Refusal(fault.value) from error

    return admit


def _answer_for_the_log(app: FastAPI, catalogue: Catalogue) -> None:
    """Say `log.outcome_unknown`, or what ails the database, to a request it fails; our own faults stay failures."""

    async def unknown(request: Request, _: Exception) -> Response:
        return problem_response(catalogue, request.scope, Refusal("log.outcome_unknown"))

    async def failing(request: Request, exc: Exception) -> Response:
        fault = fault_of(exc)
        if fault is None:
            raise exc
        _log.error(fault.value, service=request.app.state.service.name, raised=type(exc).__name__)
        return problem_response(catalogue, request.scope, Refusal(fault.value))

    app.add_exception_handler(OutcomeUnknown, unknown)
    for error in AWAY:
        app.add_exception_handler(error, failing)


_status = APIRouter(tags=["status"])


@_status.get("/{org}/status", responses=READ_RESPONSES)
async def status(org: Org, service: Annotated[Service, Depends(service_of)]) -> Status:
    """Where the organisation's book stands: its log, its views, and what it heard of the other service."""

    def look(connection: Connection) -> Status:
        head = read_head(connection, org)
        if head is None:
            raise Refusal("org.unknown", "org", org=org)
        views = []
        for projection in service.runner.projections:
            stopped = service.runner.stopped.get(projection.name)
            position = min(position_of(connection, org, projection) or 0, head.position)
            reason = None if stopped is None or stopped.org != org else f"{stopped.reason} at {stopped.position}"
            views.append(
                ViewState(
                    name=projection.name,
                    version=projection.version,
                    position=position,
                    behind=head.position - position,
                    behind_seconds=_age(connection, org, position + 1, service.ports.clock.now()),
                    stopped=reason,
                )
            )
        follower, relay = service.followers.get(org), service.relays.get(org)
        return Status(
            service=service.name,
            org=org,
            log_id=str(head.log_id),
            clock=head.clock,
            position=head.position,
            sequence=head.sequence,
            views=views,
            follows=None if follower is None else follower.status.as_json(),
            publishes=None if relay is None else asdict(relay.status),
            paused=dict(place.paused(connection, org).items()),
        )

    return await service.database.read(look)


def _age(connection: Connection, org: str, position: int, now: datetime) -> int:
    """How many seconds ago the event at a position was recorded; 0 behind the end of the log."""
    at = connection.scalar(select(event.c.recorded_at).where(event.c.org == org, event.c.position == position))
    return 0 if at is None else max(0, int((now - at).total_seconds()))
