"""The world of a simulation: its clock, its chance, its lives, and the record of what went on and what went wrong.

A life is one run of a process. Whatever it asks of a port goes through `touch`, which counts, notes, and may end it
there and then: its tasks are cancelled, and whatever they still ask of any port ends them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, TypeVar

from avow.kernel.ports import ClockKind, Ports
from tests.simulation.loop import VirtualLoop

T = TypeVar("T")
BEGINS = datetime(2010, 6, 1, 8, 30, tzinfo=UTC)
LAST_LINES = 30

_life: ContextVar["Life | None"] = ContextVar("life", default=None)


class Crashed(BaseException):
    """The process is gone; no handler for errors may take notice of it."""


class Clock:
    """A machine's clock: it runs with the loop, and may be put forward or back."""

    kind: ClockKind = "simulated"

    def __init__(self, loop: VirtualLoop) -> None:
        self.skew = timedelta()
        self._loop = loop

    def now(self) -> datetime:
        return BEGINS + timedelta(seconds=self._loop.time()) + self.skew


class Life:
    """One run of a process, from its start to its crash or its end."""

    def __init__(self, name: str, chance: Random, clock: Clock) -> None:
        self.name = name
        self.alive = True
        self.calls = 0
        self.dies_at: int | None = None
        self.answers_from = 0.0
        """Until then it is stopped: nothing it asks for is answered."""
        self.ports = Ports(clock, chance.randbytes)
        self.died = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as a part of this life, and whatever it starts too."""
        context = copy_context()
        context.run(_life.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Take a task for one of this life's."""
        self._tasks.append(task)
        if len(self._tasks) > 200:
            self._tasks = [task for task in self._tasks if not task.done()]

    def end(self) -> None:
        """Let nothing of it go on."""
        self.alive = False
        self.died.set()
        for task in self._tasks:
            task.cancel()

    def left_over(self) -> list[str]:
        """What of it has not ended."""
        return [str(task.get_coro()) for task in self._tasks if not task.done()]


class World:
    """What all parts of one simulation share."""

    def __init__(self, seed: int | str, told: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.loop = VirtualLoop(self.chance("turns"))
        self.wrong: list[str] = []
        """What must never be, in the order it was found."""
        self.seen: Counter[str] = Counter()
        """How often each thing happened, so that a fault that never strikes is noticed."""
        self.lives: list[Life] = []
        self.calls = 0
        self._told = told
        self._digest = sha256()
        self.last: deque[str] = deque(maxlen=LAST_LINES)
        self.loop.set_task_factory(_owned)
        self.loop.set_exception_handler(self._unheard)

    def chance(self, purpose: str) -> Random:
        """A source of chance for one purpose, so that what one part draws changes nothing for another."""
        return Random(f"{self.seed}/{purpose}")

    def born(self, name: str, clock: Clock) -> Life:
        """A new life of a process."""
        number = sum(life.name.startswith(f"{name}.") for life in self.lives) + 1
        life = Life(f"{name}.{number}", self.chance(f"{name}.{number}"), clock)
        self.lives.append(life)
        return life

    def touch(self, life: Life, what: str) -> None:
        """A life asks for something, or has its answer; raises Crashed where that is its end."""
        if not life.alive:
            raise Crashed
        life.calls += 1
        self.calls += 1
        self.note(life.name, what)
        if life.calls == life.dies_at:
            self.crash(life)
            raise Crashed

    async def wait(self, life: Life, seconds: float) -> None:
        """What is asked for takes time, and as long as the life is stopped."""
        await asyncio.sleep(seconds)
        while (left := life.answers_from - self.loop.time()) > 0:  # noqa: ASYNC110 - it may be stopped again meanwhile
            await asyncio.sleep(left)
        if not life.alive:
            raise Crashed

    def crash(self, life: Life) -> None:
        """End a life where it stands."""
        self.note(life.name, "CRASHES")
        self.seen["crash"] += 1
        life.end()

    def note(self, who: str, what: str) -> None:
        """Write a line of the record."""
        line = f"{self.loop.time():10.4f}  {who:<14}  {what}"
        self._digest.update(line.encode())
        self.last.append(line)
        if self._told is not None:
            self._told(line)

    def fail(self, what: str) -> None:
        """Note that something is wrong."""
        self.note("WRONG", what)
        self.wrong.append(what)

    @property
    def digest(self) -> str:
        """The digest of the record so far."""
        return self._digest.hexdigest()

    def _unheard(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Crashed) and not (error is None and "destroyed" in context["message"]):
            self.wrong.append(f"nobody heard of: {context['message']} {error!r}")


def _owned(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    context = options.get("context") or copy_context()
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    life = context.get(_life)
    if life is not None:
        life.keep(task)
        if not life.alive:
            task.cancel()
    return task
