"""Executing a command: load the state, gather the facts, decide, append, or say why not.

It is tried in haste first, on the state and the facts as they are at hand, from memory where they were read lately:
the append holds only if every stream they rest on stood still. Whatever then looks like a refusal, a conflict or a
retry is decided anew with care: once what decisions read has caught up with the log, and the retry is looked up.

Promises: a retried command returns its original positions and takes no effect twice; the same key with another body is
refused; a decision holds only if its stream and every stream its facts rest on stood still meanwhile, else it is made
again, three times, then refused as `log.conflict`. Times are kept as R-02 says: nothing happens in the future, nothing
runs backwards within a stream, and what is entered more than seven days late says why.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, select

from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.appender import Appender
from avow.eventlog.at_hand import NOWHERE, AtHand, NotAtHand, Recall, read_anew
from avow.eventlog.batch import Conflict, IdTaken
from avow.eventlog.database import Database
from avow.eventlog.keys import KeyDestroyed
from avow.eventlog.records import Appended, Context, Proposed
from avow.eventlog.statements import find_events
from avow.eventlog.states import Held, States
from avow.eventlog.tables import event
from avow.eventlog.types import EventTypes
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Event
from avow.kernel.ports import Ports
from avow.kernel.refusal import Refusal, require
from avow.kernel.seal import sealed_fields
from avow.observe import tracing

TRIES = 3
LATE_AFTER = timedelta(days=7)
_COMMANDS = uuid5(NAMESPACE_URL, "urn:avow:command")

C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Facts)
T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where a command comes from; with `retry_key`, the retried command is recognised."""

    org: str
    actor: str | None = None
    route: str = ""
    retry_key: str | None = None
    fingerprint: UUID | None = None
    correlation_id: UUID | None = None
    traceparent: str | None = None

    def event_id(self, n: int) -> UUID:
        """The id of the command's n-th event, the same at every retry."""
        return uuid5(_COMMANDS, "\n".join((self.org, self.actor or "", self.route, self.retry_key or "", str(n))))


@dataclass(frozen=True)
class Grounds(Generic[F]):
    """The facts of a decision and the versions of the streams they rest on.

    `guarded` where these are all they rest on: then facts read too early are found out by the append.
    """

    facts: F
    expect: Mapping[str, int] = field(default_factory=dict)
    guarded: bool = False


@dataclass(frozen=True)
class Asked(Generic[C, S]):
    """A command about to be decided, for whoever gathers its facts; what it asks for through `recall` may be known."""

    org: str
    identity: str
    command: C
    state: S
    actor: str | None
    occurred_at: datetime
    now: datetime
    recall: Recall = read_anew


Ground = Callable[[Connection, Asked[C, S]], Grounds[F]]
"""Reads what a decision needs to know, in the snapshot its state was read in; it may refuse."""


@dataclass(frozen=True)
class Outcome:
    """What a command led to; `repeated` when it had been done before."""

    position: int
    events: tuple[Appended, ...]
    repeated: bool = False


class Executor:
    """Executes commands against the log of one service; `current` returns once what facts are read from has caught up
    with an organisation's log."""

    def __init__(
        self,
        database: Database,
        appender: Appender,
        types: EventTypes,
        ports: Ports,
        current: Callable[[str], Awaitable[None]],
    ) -> None:
        self._database = database
        self._appender = appender
        self._types = types
        self._ports = ports
        self._current = current
        self._states = States()
        self._at_hand = AtHand()

    async def execute(
        self,
        decider: Decider[C, S, F, E],
        identity: str,
        command: C,
        ground: Ground[C, S, F],
        origin: Origin,
        occurred_at: datetime | None = None,
        begins: bool = False,
    ) -> Outcome:
        """Decide `command` on the aggregate `identity` and append what follows.

        Where it `begins` the aggregate nothing is looked up of it at first. Raises Refusal; the appender's errors pass
        through.
        """
        attempt = partial(self._attempt, decider, identity, command, ground, origin, occurred_at, begins)
        for hasty in (True, *[False] * TRIES):
            try:
                outcome = await attempt(hasty)
            except (Conflict, IdTaken):
                continue
            except KeyDestroyed as destroyed:
                raise Refusal("log.key_destroyed", subject=destroyed.subject) from destroyed
            except Refusal:
                if hasty:
                    continue
                raise
            if outcome is not None:
                return outcome
        raise Refusal("log.conflict", stream=decider.stream)

    async def _attempt(
        self,
        decider: Decider[C, S, F, E],
        identity: str,
        command: C,
        ground: Ground[C, S, F],
        origin: Origin,
        occurred_at: datetime | None,
        begins: bool,
        hasty: bool,
    ) -> Outcome | None:
        stream = decider.stream_of(identity)
        at_hand = self._states.get(origin.org, stream) if hasty else None
        if hasty and begins and at_hand is None:
            at_hand = Held(decider.initial, 0, None)
        recall = self._at_hand.recall if hasty else self._at_hand.refresh
        if not hasty:
            self._states.drop(origin.org, stream)
            await self._current(origin.org)

        def load(connection: Connection) -> Outcome | tuple[Held, Grounds[F], datetime, int]:
            if not hasty and (done := _done_before(connection, origin)) is not None:
                return done
            held = at_hand or self._load(connection, decider, origin.org, stream)
            now = self._ports.clock.now()
            happened = _when(command, occurred_at, now, held.last)
            asked = Asked(origin.org, identity, command, held.state, origin.actor, happened, now, recall)
            grounds = ground(connection, asked)
            head = None if hasty else read_head(connection, origin.org)
            return held, grounds, happened, head.position if head else 0

        loaded = await (self._glance if hasty else self._database.read)(load)
        if isinstance(loaded, Outcome):
            return loaded
        held, grounds, happened, position = loaded
        decided = decider.decide(command, held.state, grounds.facts)
        if hasty and not (decided and grounds.guarded):
            return None
        streams = [decider.stream_for(event, stream) for event in decided]
        with tracing.span("append", origin.traceparent, org=origin.org, stream=decider.stream) as onward:
            proposed = [
                self._propose(at, event, n, command, origin, happened, onward)
                for n, (at, event) in enumerate(zip(streams, decided, strict=True))
            ]
            appended = await self._appender.append(origin.org, proposed, {**grounds.expect, stream: held.version})
        if origin.retry_key is not None and any(row.repeated for row in appended):
            # Somebody used the key before; whether it was this very command, the next attempt finds out.
            return None
        if any(sealed_fields(type(event)) for event in decided):
            # What was decided says in the clear what the log holds sealed.
            self._states.drop(origin.org, stream)
        else:
            state = decider.fold(decided, held.state)
            self._states.put(origin.org, stream, Held(state, held.version + streams.count(stream), happened))
        # A command that changes nothing stands where the log stood when that was decided.
        return Outcome(max((row.position for row in appended), default=position), tuple(appended))

    async def _glance(self, load: Callable[[Connection], T]) -> T:
        try:
            return load(NOWHERE)
        except NotAtHand:
            return await self._database.glance(load)

    def _load(self, connection: Connection, decider: Decider[C, S, F, E], org: str, stream: str) -> Held:
        records = reading.stream(connection, org, stream)
        state = decider.fold(self._types.decode_as(decider.events, records))
        return Held(state, len(records), records[-1].occurred_at if records else None)

    def _propose(
        self,
        stream: str,
        event: Event,
        n: int,
        command: Command,
        origin: Origin,
        happened: datetime,
        traceparent: str | None,
    ) -> Proposed:
        context = Context(
            occurred_at=happened,
            actor=origin.actor,
            campaign=getattr(event, "campaign_id", None),
            correlation_id=origin.correlation_id,
            causation_id=origin.fingerprint,
            traceparent=traceparent,
            late_reason=command.late_reason,
        )
        event_id = self._ports.new_id() if origin.retry_key is None else origin.event_id(n)
        return Proposed(stream, event_id, event, context)


def _when(command: Command, given: datetime | None, now: datetime, last: datetime | None) -> datetime:
    """When the matter happened: as given by the caller, by the command, or now."""
    if given is not None:
        happened = given
    elif command.occurred_at is not None:
        happened = command.occurred_at
        require(happened <= now, "time.in_the_future", "occurred_at")
        late = now - happened > LATE_AFTER
        require(not late or command.late_reason, "time.late_without_reason", "late_reason", days=LATE_AFTER.days)
    else:
        # The clocks of two processes differ a little: within a stream time rather stands still than runs backwards.
        return now if last is None else max(now, last)
    require(last is None or happened >= last, "time.backwards", "occurred_at")
    return happened


def _done_before(connection: Connection, origin: Origin) -> Outcome | None:
    """What this very command led to before; refuses a key that was used for another one."""
    if origin.retry_key is None:
        return None
    first = origin.event_id(0)
    of_the_key = select(event.c.causation_id).where(event.c.org == origin.org, event.c.event_id == first)
    row = connection.execute(of_the_key).one_or_none()
    if row is None:
        return None
    require(row.causation_id == origin.fingerprint, "idempotency.key_reused", "Idempotency-Key")
    appended: list[Appended] = []
    while True:
        ids = [origin.event_id(n) for n in range(len(appended), len(appended) + 50)]
        found = find_events(connection, origin.org, ids)
        appended += [found[event_id] for event_id in ids if event_id in found]
        if len(found) < len(ids):
            return Outcome(max(row.position for row in appended), tuple(appended), repeated=True)
