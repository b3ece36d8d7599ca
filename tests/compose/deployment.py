"""The containers of docker-compose.yml under a project name, with secrets and at a port of their own.

Nothing of another deployment on the same engine is touched. What is waited for comes, or `Failed` says what did not.
"""

import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
ENGINE = shlex.split(os.environ.get("DOCKER", "docker"))
ONCE = ("pledge-prepare", "evaluation-prepare")
WEBS, WORKERS = ("pledge-web", "evaluation-web"), ("pledge-worker", "evaluation-worker")
LASTING = (*WEBS, *WORKERS, "postgres", "rabbitmq", "proxy")
PATIENCE = 300.0
# What `init` starts is what the container is there for.
_KILL = "for p in /proc/[0-9]*; do if grep -q '^PPid:[[:space:]]*1$' $p/status; then kill -9 ${p#/proc/}; fi; done"


class Failed(Exception):
    """What was promised and did not come, or a command that failed, with its words."""


def until(what: str, reached: Callable[[], bool], within: float = PATIENCE) -> None:
    """Return once it is reached; raises `Failed` after so many seconds."""
    deadline = time.monotonic() + within
    while not reached():
        if time.monotonic() > deadline:
            raise Failed(f"{what}（{within:.0f} s）")
        time.sleep(1)


class Deployment:
    """From `up` to `end`."""

    def __init__(self) -> None:
        self.name = f"avow-check-{secrets.token_hex(3)}"
        self.secrets = ROOT / "deploy" / "secrets" / self.name
        """A folder that is in no commit and in no image, as that of any deployment."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._environment = os.environ | {
            "COMPOSE_PROJECT_NAME": self.name,
            "SECRETS_FOLDER": str(self.secrets),
            "PROXY_ADDRESS": "127.0.0.1",
            "PROXY_PORT": str(self.port),
            "AVOW_ORGS": "main",
        }

    @property
    def token(self) -> str:
        """The operator's."""
        return (self.secrets / "avow_operator_token").read_text("utf-8").strip()

    def set_up(self) -> None:
        """Make the secrets."""
        self._run([str(ROOT / "deploy" / "setup"), str(self.secrets)])

    def compose(self, *words: str) -> str:
        """What a command of Compose prints."""
        return self._run([*COMPOSE, *words])

    def avow(self, *words: str) -> Any:
        """What a command of ours says of the deployment, whatever its verdict."""
        command = [*COMPOSE, "run", "--rm", "-T", "console", *words, "--json"]
        said = self._run(command, may_fail=True)
        try:
            return json.loads(said)
        except ValueError as error:
            raise Failed(f"{shlex.join(command)}: {said}") from error

    def versions(self) -> list[str]:
        """What it is tried with: Compose, the engine, and the programs in the images."""
        asked = (
            [*COMPOSE, "version", "--short"],
            [*ENGINE, "version", "--format", "{{.Server.Version}}"],
            [*COMPOSE, "exec", "-T", "postgres", "postgres", "--version"],
            [*COMPOSE, "exec", "-T", "rabbitmq", "rabbitmqctl", "version"],
            [*COMPOSE, "exec", "-T", "proxy", "sh", "-c", "nginx -v 2>&1"],
            [*COMPOSE, "exec", "-T", "pledge-web", "python", "--version"],
        )
        names = ("Compose", "Docker", "", "RabbitMQ", "", "")
        return [f"{name} {self._run(one).strip()}".strip() for name, one in zip(names, asked, strict=True)]

    def up(self, *words: str) -> None:
        """Start what is not there, and wait until all of it is well."""
        self.compose("up", "--detach", *words)
        self.recovered()

    def down(self) -> None:
        """Take every container away; the volumes stay."""
        self.compose("down")

    def kill(self, *services: str) -> None:
        """End what runs in one container of each, as a crash would; return once the engine has started it again."""
        before = self._restarts(services)
        for service in services:
            self._run([*COMPOSE, "exec", "-T", service, "sh", "-c", _KILL], may_fail=True)

        def restarted() -> bool:
            return sum(count > before[name] for name, count in self._restarts(services).items()) == len(services)

        until(f"没有自动重启 / not restarted: {', '.join(services)}", restarted)

    def recovered(self) -> None:
        """Return once every container is healthy, and what runs once has succeeded."""
        until("有容器不健康 / a container is not healthy", self._well)

    def end(self) -> None:
        """Remove the containers, the networks, the volumes and the secrets."""
        self._run([*COMPOSE, "--profile", "console", "down", "--volumes", "--remove-orphans"], may_fail=True)
        shutil.rmtree(self.secrets, ignore_errors=True)

    def states(self) -> dict[str, set[str]]:
        """By service, how its containers are."""
        found: dict[str, set[str]] = {}
        for told in self._containers():
            state = told["State"]
            health = (state.get("Health") or {}).get("Status")
            said = f"exited {state['ExitCode']}" if state["Status"] == "exited" else health or state["Status"]
            found.setdefault(told["Config"]["Labels"]["com.docker.compose.service"], set()).add(said)
        return found

    def _well(self) -> bool:
        return self.states() == {name: {"healthy"} for name in LASTING} | {name: {"exited 0"} for name in ONCE}

    def _restarts(self, services: tuple[str, ...]) -> dict[str, int]:
        return {told["Id"]: told["RestartCount"] for told in self._containers(*services)}

    def _containers(self, *services: str) -> list[dict[str, Any]]:
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        found: list[dict[str, Any]] = json.loads(self._run([*ENGINE, "inspect", *ids])) if ids else []
        return found

    def _run(self, command: list[str], may_fail: bool = False) -> str:
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False, timeout=1800
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"{shlex.join(command)}: {error}") from error
        if done.returncode and not may_fail:
            raise Failed(f"{shlex.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}".strip())
        return done.stdout
