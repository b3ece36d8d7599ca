"""A log that was restored from an older backup is noticed by the other service, whichever of the two it is."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from avow.contracts.envelope import encode
from avow.kernel.ports import Ports
from tests.kit.deployed import Deployed, avow, deployed
from tests.kit.logs import a_log, a_unit, proposed

ORG = "main"
PATIENCE = 60.0
OTHER = {"pledge": "evaluation", "evaluation": "pledge"}


async def say(url: str, service: str, *numbers: int) -> list[bytes]:
    """Have a service's log say one public event for each number; everything it then says."""
    async with a_log(url, Ports(), orgs=(ORG,), service=service) as log:
        now = log.ports.clock.now()
        await log.append(*(proposed(a_unit(n), at=now) for n in numbers), org=ORG)
        return [encode(envelope) for envelope in await log.envelopes(ORG)]


async def copies(url: str, service: str) -> list[bytes]:
    """What a service imported, in order."""
    async with a_log(url, Ports(), orgs=(ORG,), service=service) as log:
        return [row.data for row in await log.rows(ORG) if row.stream.startswith("import/")]


async def until(running: Deployed, service: str, agreed: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a service says this of what it follows."""
    async with httpx.AsyncClient(base_url=running.urls[service], headers=running.headers, timeout=30) as client:
        async with asyncio.timeout(PATIENCE):
            while True:
                follows: dict[str, Any] = (await client.get(f"/{ORG}/status")).json()["follows"]
                if agreed(follows):
                    return follows
                await asyncio.sleep(0.1)


async def health(running: Deployed, service: str) -> int:
    async with httpx.AsyncClient(base_url=running.urls[service], timeout=30) as client:
        return (await client.get("/health")).status_code


def findings(data: Path, importer: str, **settings: str) -> tuple[int, list[dict[str, Any]]]:
    """What `avow verify` says of the importer's copy: its status, and each finding."""
    verdict = avow(data, "verify", "--json", "--org", ORG, **settings)
    (said,) = json.loads(verdict.stdout)["organisations"]
    (imports,) = [one for one in said["imports"] if one["importer"] == importer]
    return verdict.returncode, imports["findings"]


@pytest.mark.parametrize("source", ["pledge", "evaluation"])
async def test_an_older_log_is_noticed_and_what_differs_is_named_and_nothing_is_overwritten(
    tmp_path: Path, source: str
) -> None:
    importer = OTHER[source]
    old, new, copy = (f"sqlite:///{tmp_path}/{name}.db" for name in (source, "restored", importer))
    setting = {f"AVOW_{source.upper()}_DATABASE": new}
    with deployed(tmp_path, AVOW_ORGS=ORG) as running:
        await say(old, source, *range(5))
        await until(running, importer, lambda follows: follows["imported_sequence"] == 6)
        backup = avow(tmp_path, "backup", str(tmp_path / "backup"))
        assert backup.returncode == 0, backup.stderr
        said = await say(old, source, *range(5, 10))
        await until(running, importer, lambda follows: follows["imported_sequence"] == 11)
    imported = await copies(copy, importer)
    assert imported == said
    refused = avow(tmp_path, "restore", str(tmp_path / "backup"), **setting)
    assert refused.returncode == 2
    assert importer in refused.stderr, "its book is there, and says more than the backup"
    restored = avow(tmp_path, "restore", str(tmp_path / "backup"), "--service", source, "--json", **setting)
    assert restored.returncode == 0, restored.stderr
    (book,) = json.loads(restored.stdout)["books"]
    assert (book["service"], book["sequence"]) == (source, 6)

    with deployed(tmp_path, AVOW_ORGS=ORG, **setting) as running:
        follows = await until(running, importer, lambda follows: follows["state"] == "source_behind")
        assert (follows["imported_sequence"], follows["source_head"]) == (11, 6)
        assert follows["log_id"] == book["log_id"]
        assert await health(running, importer) == 503
        assert await health(running, source) == 200
        status, (found,) = findings(tmp_path, importer, **setting)
        assert (status, found["code"]) == (1, "import.not_at_source")
        assert (found["params"]["sequence"], found["params"]["upto"]) == (7, 11)
        assert found["params"]["importer"] == importer
        assert book["log_id"] in found["todo_en"]

        await say(new, source, 50, 51)
        differs = "the source says something else from sequence 7 on"
        follows = await until(running, importer, lambda follows: follows["state"] == "source_changed")
        assert (follows["reason"], follows["source_head"], follows["imported_sequence"]) == (differs, 8, 11)
        assert await health(running, importer) == 503
        status, found_all = findings(tmp_path, importer, **setting)
        assert status == 1
        assert [(found["code"], found["params"]["sequence"]) for found in found_all] == [
            ("import.differs_from_source", 7),
            ("import.differs_from_source", 8),
            ("import.not_at_source", 9),
        ]
        await say(new, source, *range(52, 60))
        await until(running, importer, lambda follows: follows["source_head"] == 16)
        await asyncio.sleep(1)
        follows = await until(running, importer, lambda _: True)
        assert (follows["state"], follows["reason"]) == ("source_changed", differs)
    assert await copies(copy, importer) == imported

    with deployed(tmp_path, AVOW_ORGS=ORG) as running:
        await until(running, importer, lambda follows: follows["state"] == "live")
        assert await health(running, importer) == 200
    assert findings(tmp_path, importer) == (0, [])
