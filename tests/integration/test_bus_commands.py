"""`avow bus`: what it says of running services and of databases alone, and that a pause reaches running services."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from avow.kernel.ports import Ports, seeded
from tests.kit.deployed import Deployed, avow, deployed
from tests.kit.logs import LooseClock, a_log, a_unit, imports, proposed

ORG = "main"
TRIES = 300


def status(data: Path, verdict: int) -> dict[str, dict[str, Any]]:
    """What is said of the books, by service, with the parts by their names."""
    answer = avow(data, "bus", "status", "--org", ORG, "--json")
    assert answer.returncode == verdict, answer.stdout + answer.stderr
    said = json.loads(answer.stdout)
    assert said["ok"] == (verdict == 0)
    return {book["service"]: {part["part"]: part for part in book["parts"]} for book in said["books"]}


def until(running: Deployed, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the evaluation service says of its book once this holds of it."""
    with httpx.Client(base_url=running.urls["evaluation"], headers=running.headers, timeout=30) as client:
        for _ in range(TRIES):
            said: dict[str, Any] = client.get(f"/{ORG}/status").json()
            if said["follows"] and holds(said):
                return said
            time.sleep(0.1)
    raise AssertionError("the evaluation service never said so")


def test_a_pause_reaches_running_services_and_outlives_them(tmp_path: Path) -> None:
    with deployed(tmp_path, AVOW_ORGS=ORG) as running:
        until(running, lambda said: bool(said["follows"]["state"] == "live"))
        parts = status(tmp_path, 0)["evaluation"]
        assert (parts["import of pledge"]["state"], parts["register"]["lag"]) == ("done", 0)
        why = ("--org", ORG, "--reason", "maintenance")
        assert avow(tmp_path, "bus", "pause", "import", "--service", "evaluation", *why).returncode == 0
        said = until(running, lambda said: bool(said["follows"]["state"] == "paused"))
        assert (said["paused"], said["follows"]["reason"]) == ({"import": "maintenance"}, "maintenance")
        headers = {**running.headers, "Idempotency-Key": "a-key-of-sixteen-letters"}
        url = f"{running.urls['pledge']}/{ORG}/people"
        assert httpx.post(url, json={"name": "祁安然"}, headers=headers).status_code == 201
        found = status(tmp_path, 0)
        assert found["evaluation"]["import of pledge"]["state"] == "paused"
        assert found["evaluation"]["import of pledge"]["lag"] > 0
        assert found["pledge"]["import of evaluation"]["state"] == "done"
        ready = httpx.get(f"{running.urls['evaluation']}/health/ready")
        assert "maintenance" not in ready.text
    with deployed(tmp_path, AVOW_ORGS=ORG) as running:
        until(running, lambda said: bool(said["follows"]["state"] == "paused"))
        resumed = avow(tmp_path, "bus", "resume", "import", "--org", ORG)
        assert (resumed.returncode, "evaluation main" in resumed.stdout) == (0, True)
        until(running, lambda said: bool(said["follows"]["state"] == "live" and not said["paused"]))
    assert avow(tmp_path, "bus", "resume", "import", "--org", ORG).returncode == 2
    assert avow(tmp_path, "bus", "pause", "everything", "--reason", "x").returncode == 2


async def test_what_waits_for_long_and_does_not_move_is_said_to_stand_still(tmp_path: Path) -> None:
    long_ago = Ports(LooseClock(), seeded(1))
    async with (
        a_log(f"sqlite:///{tmp_path}/pledge.db", long_ago, orgs=(ORG,)) as source,
        a_log(f"sqlite:///{tmp_path}/evaluation.db", Ports(), orgs=(ORG,), service="evaluation") as importer,
    ):
        await source.append(proposed(a_unit(1)), org=ORG)
        lines = imports(await source.envelopes(ORG))
        await importer.append(lines[0], org=ORG)
        said = status(tmp_path, 1)["evaluation"]["import of pledge"]
        assert (said["state"], said["reached"], said["head"], said["lag"]) == ("still", 1, 2, 1)
        assert said["age_seconds"] > 10**8
        await importer.append(lines[1], org=ORG)
        await source.append(*imports(await importer.envelopes(ORG)), org=ORG)
        assert status(tmp_path, 0)["evaluation"]["import of pledge"]["state"] == "done"


async def test_a_source_that_says_something_else_is_said_to(tmp_path: Path) -> None:
    async with a_log(f"sqlite:///{tmp_path}/evaluation.db", Ports(), orgs=(ORG,), service="evaluation") as importer:
        async with a_log(f"sqlite:///{tmp_path}/other.db", Ports(), orgs=(ORG,)) as other:
            await importer.append(*imports(await other.envelopes(ORG)), org=ORG)
        async with a_log(f"sqlite:///{tmp_path}/pledge.db", Ports(), orgs=(ORG,)):
            assert status(tmp_path, 1)["evaluation"]["import of pledge"]["state"] == "source_changed"
