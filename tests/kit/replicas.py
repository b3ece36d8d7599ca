"""A deployment as processes: of each service one web and two workers, with the accounts and secrets of `deploy/`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start it, and do not wait; `ready` follows."""
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "avow", "up", "--json"]
            self._process = subprocess.Popen(command, env=self._env, stdout=subprocess.PIPE, stderr=log, text=True)

    def ready(self) -> None:
        """Return once it answers."""
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as output:
            said = output.readline()
        assert said, self._log.read_text()
        self.url: str = json.loads(said)["services"][self.service]

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
        assert self._process is not None
        self._process.kill()
        self._process.wait(START_WITHIN)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(START_WITHIN)

    def end(self) -> None:
        """See to it that it has ended."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


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

    def start(self, role: str) -> None:
        """Start a process more of each service, and wait until both answer."""
        begun = [self._begin(service, role) for service in SERVICES]
        for replica in begun:
            replica.ready()
            if role == "web":
                self.webs[replica.service] = replica
            else:
                self.workers[replica.service].append(replica)

    def _begin(self, service: str, role: str) -> Replica:
        told = {"AVOW_SECRETS": str(self.secrets[service]), "AVOW_ORGS": "main"}
        told |= {f"AVOW_{name.upper()}_URL": web.url for name, web in self.webs.items()}
        log = self.data / f"{service}-{role}-{len(self.started)}.log"
        replica = Replica(service, role, log, environment(self.data, **told))
        self.started.append(replica)
        replica.begin()
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
        stack.callback(_end, running.started)
        for role in ("web", "worker", "worker"):
            running.start(role)
        yield running


def _end(started: list[Replica]) -> None:
    """See to it that nothing is left, whatever has happened."""
    for replica in started:
        replica.end()
