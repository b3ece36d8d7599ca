"""A RabbitMQ of the tests' own: one node per test process, a fresh virtual host per test, nothing left behind.

It listens on free ports of the loopback, lets `guest` in from there, reads no setting of the machine, lives in a
temporary folder, and is ended by its process id, also when the tests fail or die. What it keeps survives `kill`; a loss
of power is played by no test. Proved by `tests/integration/test_private_rabbit.py`.
"""

import atexit
import itertools
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.kit.rabbit_ground import (
    PortMapper,
    RabbitFailed,
    RabbitMissing,
    find_tool,
    free_port,
    run,
    spawn,
    takes_connections,
)

__all__ = ["PrivateRabbit", "RabbitFailed", "RabbitMissing"]

_START_WITHIN = 120.0
_ALARM_WITHIN = 60.0
_END_WITHIN = 20.0
_MEMORY = "1GB"
# RabbitMQ's own count of a quorum queue is as old as five seconds. From 4.3 on the question is given by its name.
_HELD = (
    "case amqqueue:get_type(Q) of rabbit_quorum_queue -> {Name, _} = amqqueue:get_pid(Q),"
    " {ok, N, _} = try ra:consistent_query({Name, node()}, fun rabbit_fifo:query_messages_total/1)"
    " catch error:function_clause ->"
    " ra:consistent_query({Name, node()}, {rabbit_fifo, query_messages_total, []}) end, N;"
    " _ -> [{messages, N}] = rabbit_amqqueue:info(Q, [messages]), N end"
)
_SETTINGS = {"disk_free_limit.absolute": "50MB", "vm_memory_high_watermark.absolute": _MEMORY}


class PrivateRabbit:
    """A node between `start()` and `stop()`; also a context manager. Start it from the main thread.

    Unless it is given a port mapper, which several nodes may share, it brings one of its own and takes it away again.
    """

    def __init__(
        self, name: str = "avow", mapper: PortMapper | None = None, settings: dict[str, str] | None = None
    ) -> None:
        self.node = f"{name}@localhost"
        self.port = 0
        self.folder: Path | None = None
        """Where the node lives while it runs."""
        self.mapper = mapper or PortMapper()
        self._brings_mapper = mapper is None
        self._settings = _SETTINGS | dict(settings or {})
        self._peer_port = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._vhosts: list[str] = []

    @property
    def pid(self) -> int:
        """The node's process id; raises `RabbitFailed` unless it was started."""
        if self._server is None:
            raise RabbitFailed("RabbitMQ was not started.")
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether the node was started and its process has not ended."""
        return self._server is not None and self._server.poll() is None

    @property
    def url(self) -> str:
        """The address of the virtual host that is there from the beginning."""
        return self._url("%2F")

    def start(self) -> None:
        """Makes the node and returns when it takes connections; raises `RabbitMissing` or `RabbitFailed`."""
        self.begin()
        self.await_start()

    def begin(self) -> None:
        """Makes the node and does not wait, so that several can start at once; `await_start` follows."""
        self.folder = Path(tempfile.mkdtemp(prefix="avow-rabbit-"))
        atexit.register(self.stop)
        try:
            if self._brings_mapper:
                self.mapper.start()
            self._launch_anew()
        except BaseException:
            self.stop()
            raise

    def await_start(self) -> None:
        """Returns when the node takes connections; raises `RabbitFailed`, and then nothing of it is left."""
        try:
            for again in (True, True, False):  # Between choosing a port and taking it somebody else may take it.
                if self._answers():
                    return
                if again:
                    self._launch_anew()
            raise RabbitFailed(f"RabbitMQ did not start:\n{self._said()}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the node, and the port mapper it brought, and removes its folder; does nothing the second time."""
        atexit.unregister(self.stop)
        if self._server is not None:
            # The data go too, so there is nothing to close in order, which would take seconds.
            self.kill()
            self._server = None
        if self._brings_mapper:
            self.mapper.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends the node at once, as a crash would; its data stay for `revive`. With SIGTERM it ends in order.

        A crash in the first second of a quorum queue takes the queue along, confirmed messages included: see `settle`.
        """
        assert self._server is not None
        self._server.send_signal(how)
        self._server.wait(_END_WITHIN)

    def settle(self) -> None:
        """Returns when the quorum queues made so far are on disk; RabbitMQ 3.10 by itself takes half a second."""
        self.evaluate("[ok = dets:sync(Table) || Table <- dets:all()]")

    def revive(self) -> None:
        """Starts the node again where it was; returns when it takes connections. From the main thread, as `start`.

        A quorum queue chooses its leader after that; until then whoever asks how long it is may be told 0.
        """
        for _ in range(5):  # The name and the ports may be taken a little longer than the process lives.
            self._launch()
            if self._answers():
                return
            time.sleep(0.5)
        raise RabbitFailed(f"RabbitMQ did not start:\n{self._said()}")

    def wipe(self) -> None:
        """Ends the node, as a crash would, and starts it with its data gone; its virtual hosts are there, empty."""
        assert self.folder is not None
        self.kill()
        shutil.rmtree(self.folder / "data")
        self.revive()
        for vhost in self._vhosts:
            self._add_vhost(vhost)

    def stop_app(self) -> None:
        """Closes every connection and takes none; the process and its data stay."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        """Takes connections again after `stop_app`."""
        self.ctl("start_app")

    def create_vhost(self) -> str:
        """Makes an empty virtual host and returns its address."""
        vhost = f"test_{next(self._names)}"
        self._add_vhost(vhost)
        self._vhosts.append(vhost)
        return self._url(vhost)

    def drop_vhost(self, url: str) -> None:
        """Removes a virtual host that `create_vhost` made, with its queues and whoever is connected to it."""
        vhost = _vhost(url)
        self.evaluate(f'rabbit_vhost:delete(<<"{vhost}">>, <<"tests">>)')
        self._vhosts.remove(vhost)

    def delete_queue(self, url: str, name: str) -> None:
        """Removes a queue with what it holds, under whoever consumes from it; raises `RabbitFailed` without one."""
        self.evaluate(f'{look_up(url, name)} {{ok, _}} = rabbit_amqqueue:delete(Q, false, false, <<"tests">>)')

    def depth(self, url: str, queue: str) -> int:
        """How many messages a queue holds, those that are out with a consumer included.

        A quorum queue's leader is asked: without one, or without such a queue, `RabbitFailed` is raised.
        """
        return int(self.evaluate(f"{look_up(url, queue)} {_HELD}"))

    def set_memory_alarm(self, on: bool) -> None:
        """Raises or clears the memory alarm, under which no publisher gets an answer; returns when it stands."""
        limit = 1 if on else f'"{_MEMORY}"'
        self.evaluate(f"vm_memory_monitor:set_vm_memory_high_watermark({{absolute, {limit}}})")
        deadline = time.monotonic() + _ALARM_WITHIN
        while (self.evaluate("rabbit_alarm:get_alarms()") != "[]") is not on:
            if time.monotonic() > deadline:
                raise RabbitFailed(f"The memory alarm did not go {'on' if on else 'off'}.")
            time.sleep(0.05)

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints, half a second later; raises `RabbitFailed` with its words."""
        return self._ask("rabbitmqctl", "--quiet", *arguments)

    def evaluate(self, expression: str) -> str:
        """The value of an Erlang expression inside the node, as text, in milliseconds; raises `RabbitFailed`."""
        answer = self._ask("erl_call", "-r", "-sname", self.node, "-e", said=f"{expression}.\n")
        value = re.fullmatch(r"\{ok, (.*)\}", answer, re.DOTALL)
        if value is None:
            raise RabbitFailed(f"RabbitMQ failed at {expression}: {answer}")
        return value[1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _url(self, vhost: str) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{vhost}"

    def _add_vhost(self, vhost: str) -> None:
        self.evaluate(
            f'ok = rabbit_vhost:add(<<"{vhost}">>, <<"tests">>), ok = rabbit_auth_backend_internal:set_permissions('
            f'<<"guest">>, <<"{vhost}">>, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)'
        )

    def _launch_anew(self) -> None:
        assert self.folder is not None
        self.port, self._peer_port = free_port(), free_port()
        settings = self._settings | {"listeners.tcp.1": f"127.0.0.1:{self.port}"}
        (self.folder / "rabbitmq.conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        for empty in ("advanced.config", "enabled_plugins"):
            (self.folder / empty).write_text("[].")
        self._launch()

    def _launch(self) -> None:
        assert self.folder is not None
        (self.folder / "pid").unlink(missing_ok=True)
        self._server = spawn([find_tool("rabbitmq-server")], self._environment(), self.folder / "log")

    def _environment(self) -> dict[str, str]:
        return self.mapper.environment() | {
            # The script then becomes the node, instead of staying as its parent.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self._peer_port),
            # Any free port, which `rabbitmqctl` takes while it runs.
            "RABBITMQ_CTL_DIST_PORT_MIN": "0",
            "RABBITMQ_CTL_DIST_PORT_MAX": "0",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": f"{self.folder}",
            "RABBITMQ_MNESIA_BASE": f"{self.folder}/data",
            "RABBITMQ_FEATURE_FLAGS_FILE": f"{self.folder}/data/feature_flags",
            "RABBITMQ_PID_FILE": f"{self.folder}/pid",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": f"{self.folder}/conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{self.folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/enabled_plugins",
        }

    def _ask(self, tool: str, *arguments: str, said: str = "") -> str:
        if self._server is None:
            raise RabbitFailed("RabbitMQ was not started.")
        return run(tool, *arguments, environment=self._environment(), said=said)

    def _said(self) -> str:
        assert self.folder is not None
        return (self.folder / "log").read_text(errors="replace")[-8000:]

    def _answers(self) -> bool:
        assert self._server is not None
        assert self.folder is not None
        note = self.folder / "pid"
        deadline = time.monotonic() + _START_WITHIN
        while self._server.poll() is None:
            # Clients are let in last of all; the note says that it is this process that lets them in.
            if note.exists() and note.read_text().strip() == str(self.pid) and takes_connections(self.port):
                return True
            if time.monotonic() > deadline:
                raise RabbitFailed(f"RabbitMQ took no connection within {_START_WITHIN:.0f} s:\n{self._said()}")
            time.sleep(0.05)
        return False


def look_up(url: str, queue: str) -> str:
    """The beginning of an Erlang expression in which `Q` is this queue."""
    return f'{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{_vhost(url)}">>, queue, <<"{queue}">>)),'


def _vhost(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))
