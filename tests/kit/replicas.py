"""A deployment as processes: of each service one web and two workers, with the accounts and secrets of `deploy/`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from tests.kit.deployed import START_WITHIN, avow, environment
from tests.kit.postgres import PrivatePostgres
from tests.kit.rabbit import PrivateRabbit
from tests.kit.set_up import SERVICES, addresses, broker_address, make_accounts, make_secrets, set_up_rabbit


class Replica:
    """One process of one service, from when it answers until it is stopped or killed."""

    def __init__(self, service: str, role: str, log: Path, env: dict[str, str]) -> None:
        self.service = service
        self._env = env | {"AVOW_SERVICES": service, "AVOW_ROLE": role}
        self._log = log
        self._token = (Path(env["AVOW_SECRETS"]) / "avow_operator_token").read_text().strip()

    def start(self) -> Self:
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "avow", "up", "--json"]
            self._process = subprocess.Popen(command, env=self._env, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        with self._process.stdout as output:
            said = output.readline()
        assert said, self._log.read_text()
        self.url: str = json.loads(said)["services"][self.service]
        return self

    @property
    def headers(self) -> dict[str, str]:
        """What opens the door."""
        return {"Authorization": f"Bearer {self._token}"}

    def status(self) -> dict[str, Any]:
        """What it says of itself."""
        answer = httpx.get(f"{self.url}/main/status", headers=self.headers, timeout=30)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(START_WITHIN)

    def stop(self) -> int:
        """Ask it to end, and its exit status; of one that ended before as well."""
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(START_WITHIN)


@dataclass
class Replicas:
    """What runs, and what a further process needs."""

    data: Path
    rabbit: PrivateRabbit
    secrets: dict[str, Path]
    databases: dict[str, str]
    webs: dict[str, Replica] = field(default_factory=dict)
    workers: dict[str, list[Replica]] = field(default_factory=lambda: {name: [] for name in SERVICES})
    started: list[Replica] = field(default_factory=list)

    def start(self, service: str, role: str) -> Replica:
        """Start a process more."""
        told = {"AVOW_SECRETS": str(self.secrets[service]), "AVOW_ORGS": "main"}
        told |= {f"AVOW_{name.upper()}_URL": web.url for name, web in self.webs.items()}
        log = self.data / f"{service}-{role}-{len(self.started)}.log"
        replica = Replica(service, role, log, environment(self.data, **told))
        self.started.append(replica)
        replica.start()
        if role == "web":
            self.webs[service] = replica
        else:
            self.workers[service].append(replica)
        return replica

    def publishing(self, service: str) -> Replica | None:
        """The worker that publishes the service's events, if one does."""
        states = {replica: (replica.status()["publishes"] or {}).get("state") for replica in self.workers[service]}
        return next((replica for replica, state in states.items() if state == "publishing"), None)

    def kill(self, replica: Replica) -> None:
        """End a worker at once, as a crash would."""
        self.workers[replica.service].remove(replica)
        replica.kill()

    def stop(self) -> set[int]:
        """Ask everything to end, workers first; their exit statuses."""
        remaining = [worker for workers in self.workers.values() for worker in workers]
        return {replica.stop() for replica in (*remaining, *self.webs.values())}


@contextmanager
def replicas(folder: Path) -> Iterator[Replicas]:
    """Set everything up, with one web and two workers of each service, until the block ends."""
    made = folder / "secrets"
    make_secrets(made)
    with ExitStack() as stack:
        server = stack.enter_context(PrivatePostgres())
        make_accounts(server, made)
        rabbit = stack.enter_context(set_up_rabbit(made, folder / "definitions"))
        prepared = avow(folder, "prepare", **addresses(server, made, "_owner"))
        assert prepared.returncode == 0, prepared.stderr
        databases = addresses(server, made)
        secrets = {name: folder / name for name in SERVICES}
        for name, mounted in secrets.items():
            mounted.mkdir()
            (mounted / "avow_operator_token").write_text((made / "avow_operator_token").read_text())
            (mounted / f"avow_{name}_database").write_text(databases[f"AVOW_{name.upper()}_DATABASE"])
            (mounted / f"avow_{name}_bus").write_text(broker_address(rabbit, made, name))
        running = Replicas(folder, rabbit, secrets, databases)
        stack.callback(lambda: [_end(replica) for replica in running.started])
        for role in ("web", "worker", "worker"):
            for name in SERVICES:
                running.start(name, role)
        yield running


def _end(replica: Replica) -> None:
    try:
        replica.stop()
    except (subprocess.TimeoutExpired, AttributeError):
        if hasattr(replica, "_process"):
            os.kill(replica._process.pid, signal.SIGKILL)
