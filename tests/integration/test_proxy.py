"""The proxy with both services behind it, as deploy/proxy/nginx.conf says; where nginx is installed."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.kit.deployed import Deployed, deployed
from tests.kit.rabbit_ground import free_port
from tests.kit.set_up import DEPLOY, SERVICES

TOKEN = "chosen-for-these-tests-alone"
STARTS_WITHIN = 20.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("data"), AVOW_OPERATOR_TOKEN=TOKEN) as pair:
        yield pair


@pytest.fixture(scope="module")
def proxy(running: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("proxy")
    told = (DEPLOY / "proxy" / "nginx.conf").read_text("utf-8")
    port = free_port()
    places = {"listen 8080;": f"listen 127.0.0.1:{port};", "/tmp/": f"{folder}/"}
    places |= {
        f"{s}-web:{p}": running.urls[s].removeprefix("http://") for s, p in (("pledge", 8401), ("evaluation", 8402))
    }
    for ours, here in places.items():
        assert ours in told
        told = told.replace(ours, here)
    (folder / "nginx.conf").write_text(told)
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"]
    with subprocess.Popen(command) as process:
        try:
            await_answer(process, f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGQUIT)


def await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            assert httpx.get(url).status_code == 204
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise RuntimeError("nginx did not answer")


@pytest.fixture
def browser(proxy: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy) as client:
        yield client


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_answers_under_its_name(browser: httpx.Client, service: str) -> None:
    assert browser.get(f"/{service}/health").json() == {"status": "ok"}
    told = browser.get(f"/{service}/main/status", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert told["service"] == service


@pytest.mark.parametrize("service", SERVICES)
def test_a_browser_finds_the_docs_and_all_they_load(browser: httpx.Client, service: str) -> None:
    entered = browser.get(f"/{service}/docs", params={"token": TOKEN})
    assert (entered.status_code, entered.headers["location"]) == (303, f"/{service}/docs")
    assert f"Path=/{service}/" in entered.headers["set-cookie"]
    page = browser.get(entered.headers["location"])
    assert page.status_code == 200
    for loaded in ("docs/assets/docs/docs.js", "docs/assets/swagger-ui/swagger-ui.css", "openapi.json"):
        assert browser.get(str(page.url.join(loaded))).status_code == 200
    described = browser.get(f"/{service}/openapi.json").json()
    (server,) = described["servers"]
    assert httpx.URL(f"http://x/{service}/openapi.json").join(server["url"]).path == f"/{service}/"


def test_a_live_feed_comes_through_as_it_is_said(browser: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with browser.stream("GET", "/pledge/main/feed/live", headers=headers) as stream:
        assert any("book.opened" in line for line, _ in zip(stream.iter_lines(), range(20), strict=False))


def test_nothing_else_answers(browser: httpx.Client) -> None:
    for path in ("/", "/main/status", "/pledge", "/other/health"):
        assert browser.get(path).status_code in (301, 404)
