"""Organisations are created beside running services, and backups survive being killed, with real processes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from avow.kernel.ports import Ports
from tests.kit.deployed import Deployed, avow, deployed, environment
from tests.kit.logs import a_log, a_unit, proposed

TRIES = 300


def listed(data: Path) -> dict[str, Any]:
    said = avow(data, "org", "list", "--json")
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)["organisations"]
    return found


def followed(running: Deployed, service: str, org: str, sequence: int) -> dict[str, Any]:
    """What a service says of an organisation once it has imported so far."""
    with httpx.Client(base_url=running.urls[service], headers=running.headers, timeout=30) as client:
        for _ in range(TRIES):
            answer = client.get(f"/{org}/status")
            if answer.status_code == 200:
                said: dict[str, Any] = answer.json()
                follows = said["follows"]
                if follows and follows["state"] == "live" and follows["imported_sequence"] >= sequence:
                    return said
            time.sleep(0.1)
    raise AssertionError(f"{service} does not follow {org}")


def test_an_organisation_is_taken_up_by_running_services_and_after_a_restart(tmp_path: Path) -> None:
    with deployed(tmp_path, AVOW_ORGS="main") as running:
        made = avow(tmp_path, "org", "create", "later", "--json")
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout) == {"org": "later", "opened": ["pledge", "evaluation"]}
        headers = {**running.headers, "Idempotency-Key": "a-key-of-sixteen-letters"}
        answer = httpx.post(
            f"{running.urls['pledge']}/later/campaigns", json={"template": "cxzy-2010"}, headers=headers
        )
        assert answer.status_code == 201, answer.text
        assert followed(running, "evaluation", "later", 1)["views"]
        followed(running, "pledge", "later", 1)
        assert avow(tmp_path, "org", "create", "later").returncode == 2
    with deployed(tmp_path, AVOW_ORGS="main") as running:
        followed(running, "evaluation", "later", 1)
    books = listed(tmp_path)
    assert sorted(books) == ["later", "main"]
    for services in books.values():
        assert all(book["events"] == book["position"] >= 2 for book in services.values())
        assert all(book["clock"] == "real" for book in services.values())


async def test_a_half_created_organisation_is_completed_by_asking_again(tmp_path: Path) -> None:
    async with a_log(f"sqlite:///{tmp_path}/pledge.db", Ports(), orgs=("half",)):
        pass
    made = avow(tmp_path, "org", "create", "half", "--json")
    assert json.loads(made.stdout) == {"org": "half", "opened": ["evaluation"]}
    again = avow(tmp_path, "org", "create", "half")
    assert again.returncode == 2
    assert "already" in again.stderr
    for name in ("docs", "Upper", "", "-x", "a" * 33):
        refused = avow(tmp_path, "org", "create", "--", name)
        assert refused.returncode == 2, name
        assert "1 to 32" in refused.stderr


async def test_a_real_book_is_not_opened_beside_a_simulated_one(tmp_path: Path) -> None:
    async with a_log(f"sqlite:///{tmp_path}/pledge.db", orgs=("played",)):
        pass
    refused = avow(tmp_path, "org", "create", "real")
    assert refused.returncode == 2
    assert "simulated clock" in refused.stderr


async def test_a_restore_that_is_killed_leaves_nothing_and_is_done_again(tmp_path: Path) -> None:
    for service in ("pledge", "evaluation"):
        async with a_log(f"sqlite:///{tmp_path}/{service}.db", Ports(), orgs=("main",), service=service) as log:
            for start in range(0, 20_000 if service == "pledge" else 1000, 1000):
                now = log.ports.clock.now()
                await log.append(*(proposed(a_unit(start + n), at=now) for n in range(1000)), org="main")
    before = listed(tmp_path)["main"]
    backup, anew = tmp_path / "backup", tmp_path / "anew"
    assert avow(tmp_path, "backup", str(backup)).returncode == 0
    anew.mkdir()
    killed(["restore", str(backup)], anew, anew / "pledge.db-wal")
    # Each service by itself: the one that came first may be whole.
    assert listed(anew).get("main", {}).get("pledge") is None
    done = avow(anew, "restore", str(backup), "--json")
    assert done.returncode == 0, done.stderr
    assert listed(anew)["main"] == before
    again = avow(anew, "restore", str(backup))
    assert again.returncode == 2
    assert "nothing to restore" in again.stderr
    no_killed_backup_looks_whole(tmp_path, anew)


def no_killed_backup_looks_whole(data: Path, anew: Path) -> None:
    killed(["backup", str(data / "second")], data, data, ".second.*.partial/pledge.*")
    assert not (data / "second").exists()
    for left in data.glob(".second.*.partial"):
        assert not (left / "manifest.json").exists()
        assert avow(anew, "restore", str(left)).returncode == 2
    assert avow(data, "backup", str(data / "second")).returncode == 0


def killed(arguments: list[str], data: Path, sign: Path, pattern: str = "") -> None:
    """Run a command and kill it once it has begun to write."""
    command = [sys.executable, "-m", "avow", *arguments]
    with subprocess.Popen(command, env=environment(data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        for _ in range(60_000):
            found = list(sign.glob(pattern)) if pattern else [sign]
            if any(path.exists() and path.stat().st_size > 100_000 for path in found):
                break
            assert run.poll() is None, "it ended before it could be killed"
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
