"""What a RabbitMQ node of the tests' own stands on: the tools, and a port mapper (epmd) and a cookie of its own.

Nodes that share them can join; nothing else on the machine can reach them or is reached. Proved by
`tests/integration/test_private_rabbit.py`.
"""

import atexit
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

_START_WITHIN = 60.0
_ANSWER_WITHIN = 60.0
_END_WITHIN = 20.0


class RabbitMissing(RuntimeError):
    """No RabbitMQ server, or no Erlang, is installed on this machine."""


class RabbitFailed(RuntimeError):
    """RabbitMQ did not start, or refused what it was told; the message carries its own words."""


class PortMapper:
    """An epmd between `start()` and `stop()`, on a free port of the loopback. Start it from the main thread."""

    def __init__(self) -> None:
        self.port = 0
        self.home: Path | None = None
        """The folder with the cookie."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The port mapper's process id; raises `RabbitFailed` unless it was started."""
        if self._process is None:
            raise RabbitFailed("The port mapper was not started.")
        return self._process.pid

    def start(self) -> None:
        """Makes the cookie and returns when the port mapper answers; raises `RabbitMissing` or `RabbitFailed`."""
        epmd = find_tool("epmd")
        self.home = Path(tempfile.mkdtemp(prefix="avow-epmd-"))
        atexit.register(self.stop)
        cookie = self.home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(20))
        cookie.chmod(0o400)
        for _ in range(3):  # Between choosing a port and taking it somebody else may take it.
            self.port = free_port()
            self._process = spawn([epmd, "-port", str(self.port)], self.environment(), self.home / "log")
            if self._answers(self._process):
                return
        said = (self.home / "log").read_text(errors="replace")
        self.stop()
        raise RabbitFailed(f"The port mapper (epmd) did not start:\n{said}")

    def stop(self) -> None:
        """Ends the port mapper by its process id and removes the cookie; does nothing the second time."""
        atexit.unregister(self.stop)
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_WITHIN)
            self._process = None
        if self.home is not None:
            shutil.rmtree(self.home, ignore_errors=True)
            self.home = None

    def environment(self) -> dict[str, str]:
        """What every Erlang program needs to use this port mapper and to listen on the loopback alone."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.home),
            "ERL_CRASH_DUMP_SECONDS": "0",
            "ERL_EPMD_PORT": str(self.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # By this name also the helpers read it that the server starts for a moment.
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _START_WITHIN
        while process.poll() is None and time.monotonic() < deadline:
            if takes_connections(self.port):
                return True
            time.sleep(0.02)
        return False


def find_tool(name: str) -> str:
    """The path of one of RabbitMQ's or Erlang's own programs, which run as anybody; raises `RabbitMissing`.

    `RABBITMQ_TOOLS` may name the folder of another release, which then has to hold all of them.
    """
    chosen = os.environ.get("RABBITMQ_TOOLS")
    folders = [Path(chosen or "/usr/lib/rabbitmq/bin")]
    # Debian's `rabbitmqctl` on the path is another, which insists on an account of its own; hence not the first.
    for neighbour in () if chosen else ("rabbitmq-server", "erl"):
        found = shutil.which(neighbour)
        folders += [Path(found).resolve().parent] if found else []
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return str(folder / name)
    raise RabbitMissing(
        f"没有找到 RabbitMQ 服务器（{name}）；请安装，例如 apt-get install rabbitmq-server。\n"
        f"No RabbitMQ server ({name}) found; install one, for example: apt-get install rabbitmq-server."
    )


def spawn(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Starts a server that dies with its parent, where the system can do it (Linux)."""
    setpriv = shutil.which("setpriv")
    with log.open("wb") as output:
        return subprocess.Popen(
            [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",
            # Ctrl-C in the terminal is for pytest, which then stops the server in order.
            start_new_session=True,
        )


def run(tool: str, *arguments: str, environment: dict[str, str], said: str) -> str:
    """What a tool prints that is told this on its input; raises `RabbitMissing`, or `RabbitFailed` with its words."""
    done = subprocess.run(
        [find_tool(tool), *arguments],
        input=said,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd="/",
        timeout=_ANSWER_WITHIN,
    )
    if done.returncode != 0:
        raise RabbitFailed(f"{tool} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def takes_connections(port: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has taken yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
