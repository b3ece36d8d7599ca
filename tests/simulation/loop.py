"""A virtual-time event loop: its clock jumps to what is due next, and what is ready at once runs in a drawn order.

Promises: it never sleeps, starts no thread and opens no socket, so a run is decided by its seed alone; waiting for what
can never come is Stuck, and so is running on and on without any time passing (tests/simulation/test_loop.py).
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

MOST_TURNS = 20_000
"""How often the loop may go round at one moment before that is taken for running in circles."""


class Stuck(Exception):
    """Nothing is ready and nothing is due, or everything is ready for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs coroutines by a clock of its own; `draw` decides between those that are ready at once."""

    _ready: deque[events.Handle]
    _scheduled: list[Any]

    def __init__(self, draw: Random) -> None:
        super().__init__()
        self._draw = draw
        self._now = 0.0
        self._turns = 0
        self.turns = 0
        """How often it went round altogether."""

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        due = self._scheduled
        while due and due[0].cancelled():
            heapq.heappop(due)._scheduled = False
        if not self._ready:
            if not due:
                raise Stuck("nothing is ready and nothing is due")
            if due[0].when() > self._now:
                self._now, self._turns = due[0].when(), 0
        while due and due[0].when() <= self._now:
            timer = heapq.heappop(due)
            timer._scheduled = False
            self._ready.append(timer)
        self.turns += 1
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise Stuck(f"no time passes at {self._now:.6f}")
        turn = list(self._ready)
        self._ready.clear()
        self._draw.shuffle(turn)
        for handle in turn:
            if not handle.cancelled():
                handle._run()

    def _write_to_self(self) -> None:
        raise RuntimeError("a thread calls into the simulation")

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        raise RuntimeError("the simulation has no threads")
