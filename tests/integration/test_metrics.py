"""What a running pair counts, who may read it, and that no label is an identity."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from avow.demo.playing import BEGINS
from avow.kernel.ports import SimulatedClock
from avow.service import progress
from avow.service.settings import Settings
from tests.kit.staged import ORG, staged

SCRAPER = "a-token-for-whoever-collects"
PATIENCE = 20.0
Labels = frozenset[tuple[str, str]]


def with_a_scraper(data: Path) -> Settings:
    return Settings(data=data, orgs=(ORG,), pledge_port=0, evaluation_port=0, metrics_token=SecretStr(SCRAPER))


def told(text: str) -> dict[tuple[str, Labels], float]:
    """Every sample, by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(service: str, name: str, /, **labels: str) -> tuple[str, Labels]:
    return name, frozenset({"service": service, **labels}.items())


async def test_what_a_pair_does_is_counted_by_route_and_part(tmp_path: Path) -> None:
    settings = with_a_scraper(tmp_path)
    clock = SimulatedClock(BEGINS)
    async with staged(settings, clock) as (running, stage), httpx.AsyncClient() as http:
        people = [await stage.pledge.create("people", {"name": f"祁安然{n}"}) for n in range(3)]
        headers = {"Authorization": f"Bearer {running.token}", "Idempotency-Key": "k" * 16}
        answer = await http.post(f"{running.urls['pledge']}/{ORG}/people", json={"name": 1}, headers=headers)
        assert answer.status_code == 422
        await stage.pledge.read("people")
        await stage.heard()
        clock.set(clock.now() + timedelta(days=1))

        async def scrape(service: str) -> dict[tuple[str, Labels], float]:
            page = await http.get(f"{running.urls[service]}/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
            assert page.status_code == 200
            assert not re.search(rf"[0-9a-f]{{8}}-[0-9a-f]{{4}}|祁安然|{running.token}|{SCRAPER}", page.text)
            return told(page.text)

        pledge = await scrape("pledge")
        route = {"method": "POST", "route": "/{org}/people"}
        assert pledge[of("pledge", "avow_requests_total", **route, outcome="done")] == len(people)
        assert pledge[of("pledge", "avow_requests_total", **route, outcome="refused")] == 1
        assert pledge[of("pledge", "avow_request_seconds_count", **route)] == len(people) + 1
        assert pledge[of("pledge", "avow_appends_total")] >= len(people)
        lines = of("evaluation", "avow_import_lines_total", org=ORG, outcome="imported")
        position = of("evaluation", "avow_position", kind="projection", name="register", org=ORG)
        async with asyncio.timeout(PATIENCE):
            while (evaluation := await scrape("evaluation")).get(position, 0) < len(people) + 2:  # noqa: ASYNC110
                await asyncio.sleep(progress.EVERY / 4)
        assert evaluation[lines] == len(people) + 1
        assert evaluation[of("evaluation", "avow_lag", kind="import", name="import", org=ORG)] == 0
        assert evaluation[of("evaluation", "avow_log_events_total", org=ORG)] == len(people) + 2
        assert evaluation[of("evaluation", "avow_ready")] == 1


async def test_it_is_for_the_operator_and_whoever_collects_it_alone(tmp_path: Path) -> None:
    settings = with_a_scraper(tmp_path)
    async with staged(settings, SimulatedClock(BEGINS)) as (running, _), httpx.AsyncClient() as http:
        url = running.urls["pledge"]

        async def status(path: str, token: str | None) -> int:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            return (await http.get(f"{url}{path}", headers=headers)).status_code

        assert [await status("/metrics", token) for token in (None, "none", SCRAPER, running.token)] == [
            401, 401, 200, 200,
        ]  # fmt: skip
        assert [await status(path, SCRAPER) for path in (f"/{ORG}/status", "/docs", f"/{ORG}/feed")] == [401] * 3
