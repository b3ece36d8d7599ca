"""The pair as a process of its own: `avow up` on free ports, in a temporary folder, stopped by its process id."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_WITHIN = 60
ENDS_WITHIN = 300


@dataclass(frozen=True)
class Deployed:
    """Where the services answer, with which token, and the process they run in."""

    urls: Mapping[str, str]
    token: str
    pid: int
    environment: Mapping[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """What opens the door."""
        return {"Authorization": f"Bearer {self.token}"}


def environment(data: Path, **settings: str) -> dict[str, str]:
    """This process's environment without any setting of ours but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AVOW_")}
    free = {"AVOW_PLEDGE_PORT": "0", "AVOW_EVALUATION_PORT": "0", "AVOW_ORGS": "main,other"}
    return {**kept, "AVOW_DATA": str(data), **free, **settings}


def avow(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `avow` to its end."""
    command = [sys.executable, "-m", "avow", *arguments]
    return subprocess.run(
        command,
        check=False,
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def deployed(data: Path, **settings: str) -> Iterator[Deployed]:
    """Run `avow up` until the block ends."""
    env = environment(data, **settings)
    command = [sys.executable, "-m", "avow", "up", "--json"]
    with (
        (data / "avow.log").open("wb") as log,
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, (data / "avow.log").read_text()
            where = json.loads(said)
            yield Deployed(where["services"], where["token"], process.pid, env)
        finally:
            process.terminate()
            try:
                process.wait(START_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
