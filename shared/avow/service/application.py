"""A service's web application: its routers, the feed, its health, and everything that guards them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from avow.bus.feed import FeedSource, feed_router
from avow.bus.keys import keys_router
from avow.bus.subscribers import Subscriber, holder_of
from avow.eventlog.append import read_head
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.database import AWAY
from avow.eventlog.faults import fault_of
from avow.eventlog.tables import event
from avow.kernel.refusal import Refusal
from avow.projections.projector import position_of
from avow.service.service import Service
from avow.web.call import Org, service_of
from avow.web.catalogue import Catalogue
from avow.web.docs import install_docs
from avow.web.door import Admit, Door
from avow.web.headers import SecurityHeaders
from avow.web.limits import BodyLimits
from avow.web.problem import install_problem_handlers, problem_response
from avow.web.responses import READ_RESPONSES

_log = structlog.get_logger(__name__)


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


def build_application(
    service: Service, routers: Sequence[APIRouter], catalogue: Catalogue, title: str, token: str
) -> FastAPI:
    """The application of a service that will be started before the first request."""
    app = FastAPI(title=title, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.service = service
    feed = feed_router(FeedSource(service.database, service.grown, service.closing))
    for router in (_status, *routers, feed, keys_router(service.database)):
        # As one flat list: an included router would be asked for its route twice.
        app.router.routes.extend(router.routes)

    async def health(_: object) -> JSONResponse:
        state = service.health()
        return JSONResponse({"status": state["status"]}, 200 if state["status"] == "ok" else 503)

    app.add_route("/health", health, include_in_schema=False)
    app.add_middleware(BodyLimits, catalogue=catalogue)
    admit = _admits(service)
    app.add_middleware(Door, token=token, cookie=f"avow_{service.name}", catalogue=catalogue, admit=admit)
    install_problem_handlers(app, catalogue, service.ports)
    _answer_for_the_log(app, catalogue)
    app.add_middleware(SecurityHeaders)
    install_docs(app, title)
    return app


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
        )

    return await service.database.read(look)


def _age(connection: Connection, org: str, position: int, now: datetime) -> int:
    """How many seconds ago the event at a position was recorded; 0 behind the end of the log."""
    at = connection.scalar(select(event.c.recorded_at).where(event.c.org == org, event.c.position == position))
    return 0 if at is None else max(0, int((now - at).total_seconds()))
