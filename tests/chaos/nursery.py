"""The nursery: a process that has imported everything once, and forks a service at a word on its standard input.

An import takes seconds and a fork does not, so kills can be in the hundreds. Each line is an order in JSON, each gets
one line in answer. Its children end with it, whatever ends it: at the end of its input it kills them, and where the
system can do it (Linux) a killed nursery takes them along.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avow.kernel.ports import Ports
from avow.observe.logging import configure_logging
from avow.service.hosting import deployment, installed
from avow.service.settings import Settings
from tests.chaos import instants, sabotage

_DIES_WITH_ITS_PARENT = 1
LOOK = 0.002


@dataclass
class _Child:
    """A service that was forked: its process, and the pipe by which it is told when to die."""

    pid: int
    orders: int


class Nursery:
    """Keeps one process a service."""

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}

    def obey(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says."""
        name = order["name"]
        match order["do"]:
            case "start":
                self._children[name] = self._fork(order)
                return {"pid": self._children[name].pid}
            case "signal":
                return {"sent": self._signal(name, order["signal"])}
            case "doom":
                return {"told": self._doom(name, f"{order['instant']} {order['times']}\n")}
            case "die":
                return {"by_itself": self._die(name, order["within"])}
            case "alive":
                return {"alive": self._is_alive(name)}
        raise ValueError(order["do"])

    def end(self) -> None:
        """Kill every child."""
        for name in list(self._children):
            self._die(name, 0)

    def _fork(self, order: Mapping[str, Any]) -> _Child:
        reading, writing = os.pipe()
        nursery = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(writing)
                _live(order, reading, nursery)
            finally:
                os._exit(1)
        os.close(reading)
        return _Child(pid, writing)

    def _is_alive(self, name: str) -> bool:
        child = self._children.get(name)
        if child is None:
            return False
        if os.waitpid(child.pid, os.WNOHANG) == (0, 0):
            return True
        os.close(child.orders)
        del self._children[name]
        return False

    def _signal(self, name: str, number: int) -> bool:
        alive = self._is_alive(name)
        if alive:
            os.kill(self._children[name].pid, number)
        return alive

    def _doom(self, name: str, words: str) -> bool:
        alive = self._is_alive(name)
        if alive:
            os.write(self._children[name].orders, words.encode())
        return alive

    def _die(self, name: str, within: float) -> bool:
        """Kill a child that has not died by itself within so many seconds; whether it had."""
        deadline = time.monotonic() + within
        while self._is_alive(name):
            if time.monotonic() >= deadline:
                child = self._children.pop(name)
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                os.close(child.orders)
                return False
            time.sleep(LOOK)
        return True


def _live(order: Mapping[str, Any], orders: int, nursery: int) -> None:
    """Be a service, until killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIES_WITH_ITS_PARENT, signal.SIGKILL)
    if os.getppid() != nursery:
        return
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for mine, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(mine, standard)
    os.environ.update(order["settings"])
    configure_logging(sys.stderr)
    instants.hurry()
    instants.watch()
    if order.get("sabotage"):
        sabotage.SABOTAGE[order["sabotage"]]()
    asyncio.run(_serve(orders))


async def _serve(orders: int) -> None:
    asyncio.get_running_loop().add_reader(orders, instants.hear, orders)
    async with deployment(Settings(), Ports()) as running:
        await running.stopped.wait()


def main() -> None:
    """Obey until the input ends."""
    for name in [name for name in os.environ if name.startswith("AVOW_")]:
        del os.environ[name]
    installed()
    # Imported where they are wanted; here they are wanted in every child.
    import avow.bus.publisher
    import avow.bus.queue  # noqa: F401

    gc.collect()
    gc.freeze()
    nursery = Nursery()
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            sys.stdout.write(json.dumps(nursery.obey(json.loads(line))) + "\n")
            sys.stdout.flush()
    finally:
        nursery.end()


if __name__ == "__main__":
    main()
