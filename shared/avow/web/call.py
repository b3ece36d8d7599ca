"""What a route is given: the call of a command, the view of a read.

    async def make_pledge(pledge_id: Identity, body: MakePledge, call: Call) -> Accepted:
        return await call.execute(pledge, pledge_id, body, pledge_facts)

Promises: every command is idempotent by its key; every answer says the position it stands at; a read waits for
`min_position`, so that whoever wrote sees what they wrote, and shows another day where `as_of` or `known_at` names one.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from avow.contracts.values import Identity
from avow.eventlog.append import read_head
from avow.eventlog.execute import Ground, Origin, Outcome
from avow.eventlog.faults import lacks_a_table
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Event
from avow.kernel.refusal import Refusal, require
from avow.observe import tracing
from avow.observe.metrics import route_of
from avow.projections.asof import TODAY, Asked, cut
from avow.projections.projection import Projection
from avow.projections.projector import position_of
from avow.service.service import Service

C = TypeVar("C", bound=Command)
S = TypeVar("S")
F = TypeVar("F", bound=Facts)
E = TypeVar("E", bound=Event)
T = TypeVar("T")

_IDENTITIES = uuid5(NAMESPACE_URL, "urn:avow:identity")
OrgName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="The organisation whose book this is.")]
RetryKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=16,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="A fresh random key for each command; the same key again returns the first answer.",
    ),
]
ActingAs = Annotated[
    Identity | None, Header(alias="Acting-As", description="The person the operator acts as; none: the office itself.")
]
_DAY_OR_MOMENT = "A day (its end in Beijing time; today: now), or a moment with its zone, such as 2010-12-17T10:00:00Z."
AsOf = Annotated[
    str | None, Query(max_length=64, description=f"Show things as they stood then, as known since. {_DAY_OR_MOMENT}")
]
KnownAt = Annotated[
    str | None, Query(max_length=64, description=f"Only what this service had recorded by then. {_DAY_OR_MOMENT}")
]
Trace = Annotated[str | None, Header(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]


class Accepted(BaseModel):
    """A command was carried out: what it concerned, and the position from which every view can show it."""

    model_config = ConfigDict(frozen=True)

    id: str
    position: int
    repeated: bool = False


class Listing(BaseModel, Generic[T]):
    """What a view shows at a position of the log; `next` continues the list, null at its end."""

    model_config = ConfigDict(frozen=True)

    as_of_position: int
    items: list[T]
    next: str | None = None


async def service_of(request: Request) -> Service:
    """The service a request came to."""
    service: Service = request.app.state.service
    return service


async def org_of(org: OrgName, service: Annotated[Service, Depends(service_of)]) -> str:
    """The organisation a request names; refuses one without a book here."""
    require(await service.has_book(org), "org.unknown", "org", org=org)
    return org


Org = Annotated[str, Depends(org_of)]


@dataclass(frozen=True)
class CommandCall:
    """A command on its way: who asks, under which key."""

    service: Service
    org: str
    actor: str | None
    route: str
    retry_key: str
    correlation_id: UUID | None
    traceparent: str | None
    name: str
    """What is asked for, as traces name it: the method and the route's path, without any identity."""

    def new_id(self) -> str:
        """The identity of what this call creates; the same at every retry."""
        return str(uuid5(_IDENTITIES, "\n".join((self.org, self.actor or "", self.route, self.retry_key))))

    async def create(self, decider: Decider[C, S, F, E], command: C, ground: Ground[C, S, F]) -> Accepted:
        """Execute a command that begins an aggregate, under an identity that is the same at every retry; raises
        Refusal."""
        identity = self.new_id()
        return accepted(identity, await self.outcome(decider, identity, command, ground, begins=True))

    async def execute(
        self, decider: Decider[C, S, F, E], identity: str, command: C, ground: Ground[C, S, F]
    ) -> Accepted:
        """Execute a command for whoever asks; raises Refusal."""
        return accepted(identity, await self.outcome(decider, identity, command, ground))

    async def outcome(
        self, decider: Decider[C, S, F, E], identity: str, command: C, ground: Ground[C, S, F], begins: bool = False
    ) -> Outcome:
        """The same, with what was appended."""
        said = f"{self.route}\n{identity}\n{command.model_dump_json()}".encode()
        # Keyed with what only the caller holds, so that the log says nothing of a body it does not contain.
        fingerprint = UUID(bytes=hmac.digest(self.retry_key.encode(), said, "sha256")[:16], version=5)
        with tracing.root(self.name, self.traceparent, org=self.org, service=self.service.name) as onward:
            origin = Origin(
                org=self.org,
                actor=self.actor,
                route=self.route,
                retry_key=self.retry_key,
                fingerprint=fingerprint,
                correlation_id=self.correlation_id,
                traceparent=onward,
            )
            return await self.service.executor.execute(decider, identity, command, ground, origin, begins=begins)


@dataclass(frozen=True)
class UnnamedCall:
    """A command whose events say nothing of who gave it: no actor, key, correlation or trace."""

    service: Service
    org: str

    async def create(
        self,
        decider: Decider[C, S, F, E],
        identity: str,
        command: C,
        ground: Ground[C, S, F],
        occurred_at: datetime | None = None,
    ) -> Outcome:
        """Execute a command that begins an aggregate, for nobody in particular; raises Refusal."""
        executor = self.service.executor
        return await executor.execute(decider, identity, command, ground, Origin(self.org), occurred_at, begins=True)


@dataclass(frozen=True)
class ViewCall:
    """A read on its way."""

    service: Service
    org: str
    min_position: int
    then: Asked = TODAY
    """Another day than today, if one was asked for."""

    async def read(self, projections: str | Sequence[str], work: Callable[[Connection, datetime], T]) -> tuple[int, T]:
        """What `work` reads of the projections named, in one snapshot, and the position they stand at.

        It is told the moment that is shown, by which due days are judged: now, or the day asked for.
        """
        names = (projections,) if isinstance(projections, str) else tuple(projections)
        chosen = [projection for projection in self.service.runner.projections if projection.name in names]
        if self.min_position:
            await self.service.runner.reach(self.org, self.min_position, names)
        now = self.service.ports.clock.now()
        if self.then:
            return await self._as_it_was(chosen, work, now)

        def snapshot(connection: Connection) -> tuple[int, T]:
            head = read_head(connection, self.org)
            last = head.position if head else 0
            reached = (position_of(connection, self.org, projection) or 0 for projection in chosen)
            return min(reached, default=last), work(connection, now)

        try:
            return await self.service.database.read(snapshot)
        except DBAPIError as error:
            if not lacks_a_table(error):
                raise
            raise Refusal("view.missing", views=", ".join(names)) from error

    async def _as_it_was(
        self, chosen: Sequence[Projection], work: Callable[[Connection, datetime], T], now: datetime
    ) -> tuple[int, T]:
        """What `work` reads of the projections as they stood on the day asked for, and where the log was cut."""
        service = self.service
        where = await service.database.read(lambda connection: cut(connection, self.org, self.then, now))
        shown = where.as_of or now
        read = await service.scratches.read(self.org, chosen, where, lambda connection: work(connection, shown))
        return where.position, read


def accepted(identity: str, outcome: Outcome) -> Accepted:
    """The answer to a command."""
    return Accepted(id=identity, position=outcome.position, repeated=outcome.repeated)


async def command_call(
    request: Request,
    service: Annotated[Service, Depends(service_of)],
    org: Org,
    idempotency_key: RetryKey,
    acting_as: ActingAs = None,
    traceparent: Trace = None,
) -> CommandCall:
    """The call of a command, from the request's headers."""
    route = f"{request.method} {request.url.path}"
    correlation_id: UUID = request.state.correlation_id
    name = f"{request.method} {route_of(request.scope)}"
    return CommandCall(service, org, acting_as, route, idempotency_key, correlation_id, traceparent, name)


async def unnamed_call(service: Annotated[Service, Depends(service_of)], org: Org) -> UnnamedCall:
    """The call of a command that stays unnamed."""
    return UnnamedCall(service, org)


async def view_call(
    service: Annotated[Service, Depends(service_of)],
    org: Org,
    min_position: Annotated[int, Query(ge=0, lt=2**53, description="Wait until the view shows this position.")] = 0,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> ViewCall:
    """The view of a read."""
    return ViewCall(service, org, min_position, Asked(as_of, known_at))


Call = Annotated[CommandCall, Depends(command_call)]
Unnamed = Annotated[UnnamedCall, Depends(unnamed_call)]
View = Annotated[ViewCall, Depends(view_call)]
