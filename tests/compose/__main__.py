"""`python3 -m tests.compose`, or `make compose`: tries docker-compose.yml under a real engine; the exit status says it.

Needs Python 3.11, nothing installed; Docker with Compose 2, or what `COMPOSE` and `DOCKER` name instead:

    COMPOSE="docker compose -f docker-compose.yml -f another.yml" make compose

It builds the image, takes some ten minutes, and removes what it made, volumes included, unless `--keep` is given.
"""

import argparse
import sys
import time

from tests.compose.caller import Caller
from tests.compose.course import STEPS
from tests.compose.deployment import Deployment, Failed


def main() -> int:
    """Run every step, until one fails."""
    options = argparse.ArgumentParser(
        prog="python3 -m tests.compose", description="在真实的容器引擎上检验部署 / try it"
    )
    options.add_argument("--keep", action="store_true", help="结束时不拆除 / leave it running in the end")
    keep = options.parse_args().keep
    deployment = Deployment()
    _say(f"{deployment.name}: http://127.0.0.1:{deployment.port}")
    try:
        _try(deployment)
    except Failed as failed:
        _say(f"✗ {failed}")
        _say(_look(deployment))
        return 1
    finally:
        if keep:
            _say(f"保留 / kept: {deployment.name}, {deployment.secrets}")
        else:
            deployment.end()
    _say("✓ 部署检验通过 / The deployment holds")
    return 0


def _try(deployment: Deployment) -> None:
    deployment.set_up()
    begun = time.monotonic()
    deployment.up("--build")
    _say("  " + ", ".join(deployment.versions()))
    _say(f"✓ 构建、启动，全部健康 / built, up, all healthy  {time.monotonic() - begun:.0f} s")
    caller = Caller(deployment.port, deployment.token)
    for name, step in STEPS:
        begun = time.monotonic()
        step(deployment, caller)
        _say(f"✓ {name}  {time.monotonic() - begun:.0f} s")


def _look(deployment: Deployment) -> str:
    try:
        return f"{deployment.states()}\n{deployment.compose('logs', '--no-color', '--tail', '20')}"
    except Failed as failed:
        return str(failed)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
