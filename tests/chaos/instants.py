"""The instants at which a service may be told to die: on either side of each step an event goes through.

append → publish → confirm → import → settle, and the checkpoints of the relay and of a view. In the process of a
service these steps are wrapped; one that is told so kills itself with SIGKILL at an instant, which leaves as much
undone as a kill from outside, and always in the same place. Nothing else about the steps is changed.
"""

import functools
import inspect
import os
import signal
from collections.abc import Callable
from typing import Any

from avow.bus import follower, place, publisher, queue, relay
from avow.bus.inbox import Inbox
from avow.eventlog.appender import Appender
from avow.projections import runner

STEPS: dict[str, tuple[Any, str]] = {
    "append": (Appender, "append"),
    "publish": (publisher._RabbitPublishing, "publish"),
    "import": (Inbox, "take_in"),
    "settle": (queue.Deliveries, "settle"),
    "checkpoint": (place, "keep"),
    "project": (runner, "_project"),
}
"""The steps, and the functions that take them; behind `publish` an event is confirmed."""
INSTANTS = tuple(f"{side} {step}" for step in STEPS for side in ("before", "behind"))

_doomed: dict[str, int] = {}


def hurry() -> None:
    """Have what waits for a process that died wait less, or most of a run would be waiting."""
    place.PATIENCE = 0.6
    relay.BEAT = 0.1
    relay.CONFIRM = 2.0
    for module in (publisher, queue):
        vars(module)["CONNECT"] = 3.0
    follower.COMPARE_EVERY = 1.0


def watch() -> None:
    """Wrap the steps of this process."""
    for step, (owner, name) in STEPS.items():
        setattr(owner, name, _watched(step, getattr(owner, name)))


def hear(orders: int) -> None:
    """Take in at which instant to die, and at which time of it: `behind publish 3`."""
    for line in os.read(orders, 4096).decode().splitlines():
        side, step, times = line.split()
        _doomed[f"{side} {step}"] = int(times)


def _at(instant: str) -> None:
    left = _doomed.get(instant)
    if left is not None:
        _doomed[instant] = left - 1
        if left <= 1:
            os.kill(os.getpid(), signal.SIGKILL)


def _watched(step: str, taken: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(taken):

        @functools.wraps(taken)
        async def awaited(*arguments: Any, **named: Any) -> Any:
            _at(f"before {step}")
            answer = await taken(*arguments, **named)
            _at(f"behind {step}")
            return answer

        return awaited

    @functools.wraps(taken)
    def called(*arguments: Any, **named: Any) -> Any:
        _at(f"before {step}")
        answer = taken(*arguments, **named)
        _at(f"behind {step}")
        return answer

    return called
