"""What `deploy/` sets up: the secrets, PostgreSQL with its accounts, RabbitMQ with its definitions."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.kit.postgres import PrivatePostgres, find_tools
from tests.kit.rabbit import PrivateRabbit

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = ("pledge", "evaluation")


def make_secrets(folder: Path) -> str:
    """Run the set-up step; what it said."""
    done = subprocess.run(["sh", str(DEPLOY / "setup"), str(folder)], capture_output=True, text=True, check=True)
    return done.stderr


def make_accounts(server: PrivatePostgres, secrets: Path) -> None:
    """Make the databases and accounts as the image of PostgreSQL does at its first start."""
    env = {
        "PATH": f"{find_tools()}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(server.port),
        "POSTGRES_USER": "avow", "SECRETS": str(secrets),
    }  # fmt: skip
    subprocess.run(["sh", str(DEPLOY / "postgres" / "10-accounts.sh")], env=env, check=True)


def set_up_rabbit(secrets: Path, definitions: Path) -> PrivateRabbit:
    """A node, not yet started, with the settings and the definitions of a deployment."""
    definitions.mkdir()
    shutil.copy(secrets / "rabbitmq_users.json", definitions / "10-users.json")
    shutil.copy(DEPLOY / "rabbitmq" / "topology.json", definitions / "20-topology.json")
    told = (DEPLOY / "rabbitmq" / "rabbitmq.conf").read_text("utf-8")
    settings = dict(re.findall(r"^([a-z._]+) = (.*)$", told, re.MULTILINE))
    return PrivateRabbit("set-up", settings=settings | {"load_definitions": str(definitions)})


def addresses(server: PrivatePostgres, secrets: Path, owner: str = "") -> dict[str, str]:
    """The databases' addresses as the secrets have them, but at this server."""
    return {
        f"AVOW_{name.upper()}_DATABASE": _said(secrets, f"avow_{name}{owner}_database").replace(
            "@postgres:5432/", f"@127.0.0.1:{server.port}/"
        )
        for name in SERVICES
    }


def broker_address(node: PrivateRabbit, secrets: Path, service: str) -> str:
    """The broker's address as the secrets have it, but at this node."""
    return _said(secrets, f"avow_{service}_bus").replace("@rabbitmq:5672/", f"@127.0.0.1:{node.port}/")


def _said(secrets: Path, name: str) -> str:
    return (secrets / name).read_text("utf-8").strip()
