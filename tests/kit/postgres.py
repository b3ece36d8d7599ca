"""A PostgreSQL of the tests' own: one cluster per test process, a fresh database per test, nothing left behind.

It listens on a free port of 127.0.0.1, trusts whoever connects from there, lives in a temporary folder, and is stopped
by its process id, also when the tests fail or die. Unless it is asked to be `durable` it does not sync to disk: what it
proves is order and isolation. Proved by `tests/integration/test_private_postgres.py`.
"""

import atexit
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

_OWNER = "avow"
_START_WITHIN = 60.0
_STOP_WITHIN = 20.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "lc_messages": "C",
}


_CARELESS = {"fsync": "off", "full_page_writes": "off"}


class PostgresMissing(RuntimeError):
    """No PostgreSQL server is installed on this machine."""


class PostgresFailed(RuntimeError):
    """PostgreSQL did not start, or a tool of its failed; the message carries its own words."""


class PrivatePostgres:
    """A cluster between `start()` and `stop()`; also a context manager. Start it from the main thread."""

    def __init__(self, durable: bool = False) -> None:
        self._settings = _SETTINGS if durable else _SETTINGS | _CARELESS
        self.port = 0
        self.folder: Path | None = None
        """Where the cluster lives while it runs."""
        self._server: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)

    @property
    def pid(self) -> int:
        """The server's process id; raises `PostgresFailed` unless it was started."""
        if self._server is None:
            raise PostgresFailed("PostgreSQL was not started.")
        return self._server.pid

    def start(self) -> None:
        """Makes the cluster and returns when it answers; raises `PostgresMissing` or `PostgresFailed`."""
        self.folder = Path(tempfile.mkdtemp(prefix="avow-postgres-"))
        atexit.register(self.stop)
        try:
            if os.geteuid() == 0:
                account = _account()
                os.chown(self.folder, account.pw_uid, account.pw_gid)
            _run("initdb", "--pgdata", str(self.folder / "data"), "--username", _OWNER, "--auth", "trust",
                 "--encoding", "UTF8", "--locale", "C", "--no-sync")  # fmt: skip
            self._serve()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the server by its process id and removes its folder; does nothing the second time."""
        atexit.unregister(self.stop)
        if self._server is not None:
            for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                self._server.send_signal(request)
                try:
                    self._server.wait(_STOP_WITHIN)
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._server = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def kill(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Ends the server at once, as a crash would; its data stay for `revive`."""
        assert self._server is not None
        self._server.send_signal(how)
        self._server.wait(_STOP_WITHIN)

    def revive(self) -> None:
        """Starts the server again where it was; returns when it answers. From the main thread, as `start`."""
        for _ in range(20):  # A killed server's processes may be there a little longer, and keep the new one out.
            self._launch()
            if self._answers():
                return
            time.sleep(0.1)
        raise PostgresFailed(f"PostgreSQL did not start:\n{self._said()}")

    def create_database(self) -> str:
        """Makes an empty database and returns its SQLAlchemy address for asyncpg."""
        name = f"test_{next(self._names)}"
        _run("createdb", *self._address(), name)
        return f"postgresql+asyncpg://{_OWNER}@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Removes a database that `create_database` made, with whatever is still connected to it."""
        _run("dropdb", *self._address(), "--if-exists", "--force", url.rpartition("/")[2])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _address(self) -> tuple[str, ...]:
        return ("--host", "127.0.0.1", "--port", str(self.port), "--username", _OWNER, "--no-password")

    def _serve(self) -> None:
        for _ in range(3):  # Between choosing a port and taking it somebody else may take it.
            self.port = _free_port()
            self._launch()
            if self._answers():
                return
            self._server = None
        raise PostgresFailed(f"PostgreSQL did not start:\n{self._said()}")

    def _launch(self) -> None:
        assert self.folder is not None
        settings = [f"--{name}={value}" for name, value in {**self._settings, "port": str(self.port)}.items()]
        command = [_tool("postgres"), "-D", str(self.folder / "data"), *settings]
        with (self.folder / "log").open("wb") as output:
            self._server = subprocess.Popen(
                [*_dies_with_its_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C in the terminal is for pytest, which then stops the server in order.
                start_new_session=True,
                **_identity(),
            )

    def _said(self) -> str:
        assert self.folder is not None
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def _answers(self) -> bool:
        assert self._server is not None
        assert self.folder is not None
        status = self.folder / "data" / "postmaster.pid"
        deadline = time.monotonic() + _START_WITHIN
        while self._server.poll() is None:
            # The first line is whose word it is, the eighth that it takes connections.
            said = status.read_text().splitlines() if status.exists() else []
            if said[:1] == [str(self.pid)] and said[7:8] == ["ready   "]:
                return True
            if time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL gave no sign of life within {_START_WITHIN:.0f} s.")
            time.sleep(0.02)
        return False


def find_tools() -> Path:
    """The folder of the newest PostgreSQL server installed; raises `PostgresMissing`."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders:
        raise PostgresMissing(
            "没有找到 PostgreSQL 服务器；请安装，例如 apt-get install postgresql。\n"
            "No PostgreSQL server found; install one, for example: apt-get install postgresql."
        )
    return max(folders, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)])


def _tool(name: str) -> str:
    return str(find_tools() / name)


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run([_tool(name), *arguments], capture_output=True, text=True, check=False, **_identity())
    if done.returncode != 0:
        raise PostgresFailed(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")


def _account() -> pwd.struct_passwd:
    # PostgreSQL refuses to run as root. Debian's package makes the first account, every system has the second.
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresFailed("There is neither an account `postgres` nor `nobody` to run PostgreSQL as.")


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {"cwd": "/"}
    account = _account()
    return {"cwd": "/", "user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}


def _dies_with_its_parent() -> list[str]:
    # Where the system can do it (Linux), a killed test run takes its server along.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
