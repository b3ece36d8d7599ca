"""A subscription: one or more logs, event by event, batch by batch, or handed to functions.

    subscription = subscribe(pledge, evaluation, checkpoint=SqliteCheckpoint(db, "reporting"))

    async for received in subscription: ...
    async for batch in subscription.batches(): ...

    @subscription.on(PledgeMade)
    def count(received): ...
    await subscription.run()

Promises: a batch is of one log and in its order; a log that has nothing to say holds none of the others up; once the
iteration has ended nothing is left running (tests/integration/test_subscriber_feed.py).
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import TypeVar

from avow.bus.gathering import ended
from avow.subscriber.checkpoint import Checkpoint
from avow.subscriber.following import Following, Pace
from avow.subscriber.heard import Hearing
from avow.subscriber.place import LogKey, Place
from avow.subscriber.received import Received, Types, Wanted, name_of
from avow.subscriber.source import Source
from avow.subscriber.start import Start

Handler = Callable[[Received], Awaitable[None] | None]
H = TypeVar("H", bound=Handler)


def subscribe(
    *sources: Source,
    types: Iterable[Wanted] | None = None,
    start: Start = Start.BEGINNING,
    checkpoint: Checkpoint | None = None,
    queue: Hearing | None = None,
    pace: Pace | None = None,
) -> "Subscription":
    """Subscribe to the logs of these sources, to all events or to those of some types.

    `start` counts for a log the checkpoint knows no place in. With a `queue` events are heard as they come; the feed
    fills what it misses. A sequence to start at is of one log, so that it with several sources is a ValueError.
    """
    if not sources or len(set(sources)) < len(sources):
        raise ValueError("each source once, and at least one")
    if len(sources) > 1 and start.sequence not in (None, 1):
        raise ValueError("Start.at is a sequence of one log: make a subscription for each")
    return Subscription(sources, types, start, checkpoint, queue, pace)


class Subscription:
    """What `subscribe` makes; iterated once at a time."""

    def __init__(
        self,
        sources: Iterable[Source],
        types: Iterable[Wanted] | None,
        start: Start,
        checkpoint: Checkpoint | None,
        queue: Hearing | None,
        pace: Pace | None,
    ) -> None:
        self._sources = tuple(sources)
        self._types = None if types is None else tuple(types)
        self._start = start
        self._checkpoint = checkpoint
        self._queue = queue
        self._pace = pace
        self._handlers: list[tuple[tuple[Wanted, ...], Handler]] = []

    def on(self, *types: Wanted) -> Callable[[H], H]:
        """Have a function, plain or async, called by `run` for each event of these types; without any, for all."""

        def keep(handler: H) -> H:
            self._handlers.append((types, handler))
            return handler

        return keep

    async def run(self) -> None:
        """Hand every event to the functions that want it, in the order they were declared, until cancelled.

        With a checkpoint each batch is one transaction of it, moved at the end. Raises SubscriptionEnded, and whatever
        a function raises: then nothing of its batch is kept.
        """
        if not self._handlers:
            raise ValueError("nothing is declared with @subscription.on")
        wanted = self._types
        if wanted is None and all(types for types, _ in self._handlers):
            wanted = tuple(each for types, _ in self._handlers for each in types)
        async with aclosing(self._batches(wanted)) as batches:
            async for batch in batches:
                if self._checkpoint is None:
                    await self._handle(batch)
                    continue
                async with self._checkpoint.transaction():
                    await self._handle(batch)
                    await self._checkpoint.move(batch[-1])

    async def __aiter__(self) -> AsyncIterator[Received]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for received in batch:
                    yield received

    def batches(self) -> AsyncGenerator[list[Received], None]:
        """The events in lists, each of one log, as many as are there; raises SubscriptionEnded.

        `checkpoint.move(batch[-1])` says that all of it is done.
        """
        return self._batches(self._types)

    async def _batches(self, wanted: Iterable[Wanted] | None) -> AsyncGenerator[list[Received], None]:
        places = {} if self._checkpoint is None else await self._checkpoint.load()
        types = Types(wanted)
        # One batch in hand for each log, and one on its way.
        came: asyncio.Queue[Place | list[Received] | BaseException] = asyncio.Queue(1)
        if self._queue is not None:
            self._queue.start()
        tasks = [asyncio.create_task(self._follow(source, types, places, came)) for source in self._sources]
        try:
            while True:
                item = await came.get()
                if isinstance(item, BaseException):
                    raise item
                if isinstance(item, list):
                    yield item
                elif self._checkpoint is not None:
                    # Here, between two batches, nobody's transaction is open.
                    async with self._checkpoint.transaction():
                        await self._checkpoint.move(item)
        finally:
            for task in tasks:
                await ended(task)
            if self._queue is not None:
                await self._queue.stop()

    async def _follow(
        self,
        source: Source,
        types: Types,
        places: Mapping[LogKey, Place],
        came: asyncio.Queue[Place | list[Received] | BaseException],
    ) -> None:
        following = Following(source, types, self._start, places, self._queue, self._pace)
        try:
            async with aclosing(following.batches()) as batches:
                async for batch in batches:
                    await came.put(batch)
        except Exception as error:  # noqa: BLE001 - raised where the events are taken
            await came.put(error)

    async def _handle(self, batch: Iterable[Received]) -> None:
        for received in batch:
            for types, handler in self._handlers:
                if not types or received.type in map(name_of, types):
                    answer = handler(received)
                    if inspect.isawaitable(answer):
                        await answer
