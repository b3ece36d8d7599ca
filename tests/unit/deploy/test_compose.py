"""docker-compose.yml, read without Docker: what it says agrees with the settings, the set-up step and each other."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from avow.service.settings import Settings
from tests.kit.set_up import DEPLOY, SERVICES, make_secrets

ROOT = DEPLOY.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: told for name, told in CONTAINERS.items() if told["image"].startswith("avow:")}
LASTING = {name: told for name, told in CONTAINERS.items() if not name.endswith("-prepare") and name != "console"}
SETTINGS = {f"AVOW_{name.upper()}" for name in Settings.model_fields}


def secrets_of(told: dict[str, Any]) -> dict[str, str]:
    """Where each secret of a container lies in it, by the secret's name."""
    listed = told.get("secrets", [])
    named = [{"source": one, "target": one} if isinstance(one, str) else one for one in listed]
    return {one["source"]: one["target"] for one in named}


def test_each_service_has_a_web_and_a_worker_process_beside_the_servers_and_a_proxy() -> None:
    beside = {"postgres", "rabbitmq", "proxy", "console"}
    assert set(CONTAINERS) == beside | {f"{s}-{part}" for s in SERVICES for part in ("prepare", "web", "worker")}


@pytest.mark.parametrize("name", LASTING)
def test_every_container_is_watched_restarted_and_stopped_in_order(name: str) -> None:
    told = LASTING[name]
    assert told["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= told["healthcheck"].keys()
    assert told["restart"] == "unless-stopped"
    assert told["init"] is True


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_container_may_more_than_it_needs(name: str) -> None:
    told = CONTAINERS[name]
    assert told["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in told["security_opt"]
    assert "privileged" not in told
    assert told.get("read_only", name == "rabbitmq")
    # Ours says in the Dockerfile who it runs as.
    assert name in OURS or told["user"] not in ("root", "0")


@pytest.mark.parametrize("name", CONTAINERS)
def test_images_are_pinned_and_name_no_registry(name: str) -> None:
    assert re.fullmatch(r"[a-z-]+:\d+(\.\d+)*(-[a-z]+)?", CONTAINERS[name]["image"])
    assert (name in OURS) == ("build" in CONTAINERS[name])


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_ours_there_is(name: str) -> None:
    told = OURS[name]
    assert told["environment"].keys() <= SETTINGS
    assert {target.upper() for target in secrets_of(told).values()} <= SETTINGS
    assert told["environment"]["AVOW_SECRETS"] == "/run/secrets"


@pytest.mark.parametrize("name", [name for name in OURS if name != "console"])
def test_a_process_is_given_nothing_that_is_the_other_service_s(name: str) -> None:
    told = OURS[name]
    service = name.partition("-")[0]
    assert told["environment"]["AVOW_SERVICES"] == service
    other = next(other for other in SERVICES if other != service)
    assert not any(secret.startswith((f"avow_{other}", "postgres", "rabbitmq")) for secret in secrets_of(told))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", ["web", "worker"])
def test_the_settings_understand_what_a_process_is_given(
    service: str, role: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, mounted = tmp_path / "made", tmp_path / "mounted"
    make_secrets(made)
    mounted.mkdir()
    told = OURS[f"{service}-{role}"]
    for source, target in secrets_of(told).items():
        shutil.copy(made / source, mounted / target)
    for name, value in told["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-(.*)\}", r"\1", value))
    monkeypatch.setenv("AVOW_SECRETS", str(mounted))
    settings = Settings()
    assert (settings.services, settings.role, settings.orgs) == ((service,), role, ("main",))
    assert settings.operator_token is not None
    assert settings.database_url(service).startswith(f"postgresql+asyncpg://{service}:")
    broker = settings.broker(service) or ""
    assert broker.startswith(f"amqp://{service}:") if role == "worker" else not broker
    for name in SERVICES:
        assert settings.url(name) == f"http://{name}-web:{settings.port(name)}"


@pytest.mark.parametrize("name", [name for name in OURS if name in LASTING])
def test_health_is_asked_for_where_a_service_answers_it(name: str) -> None:
    service = name.partition("-")[0]
    assert f"http://127.0.0.1:{Settings().port(service)}/health'" in OURS[name]["healthcheck"]["test"][-1]


def test_the_console_does_not_start_by_itself() -> None:
    assert [name for name, told in CONTAINERS.items() if "profiles" in told] == ["console"]


def test_whoever_needs_a_server_starts_after_it() -> None:
    for service in SERVICES:
        prepared = {f"{service}-prepare": {"condition": "service_completed_successfully"}}
        assert OURS[f"{service}-prepare"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
        assert OURS[f"{service}-web"]["depends_on"] == prepared
        assert OURS[f"{service}-worker"]["depends_on"] == prepared | {"rabbitmq": {"condition": "service_healthy"}}
        assert CONTAINERS["proxy"]["depends_on"][f"{service}-web"] == {"condition": "service_healthy"}


def test_only_the_proxy_is_reached_from_outside_and_by_default_from_this_machine_alone() -> None:
    assert [name for name, told in CONTAINERS.items() if "ports" in told] == ["proxy"]
    assert CONTAINERS["proxy"]["ports"] == ["${PROXY_ADDRESS:-127.0.0.1}:${PROXY_PORT:-8400}:8080"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "rabbitmq", "pledge-worker", "evaluation-worker"):
        assert CONTAINERS[name]["networks"] == ["inside"]


def test_every_secret_comes_from_the_set_up_step_and_has_no_default(tmp_path: Path) -> None:
    make_secrets(tmp_path / "made")
    files = {name: Path(told["file"]) for name, told in COMPOSE["secrets"].items()}
    assert {str(path.parent) for path in files.values()} == {"${SECRETS_FOLDER:-deploy/secrets}"}
    assert {path.name for path in files.values()} <= {path.name for path in (tmp_path / "made").iterdir()}
    assert {secret for told in CONTAINERS.values() for secret in secrets_of(told)} == files.keys()
    said = (ROOT / "docker-compose.yml").read_text("utf-8") + (ROOT / ".env.example").read_text("utf-8")
    assert not re.search(r"(PASSWORD|TOKEN|DEFAULT_PASS)\w*[:=](?! ?/run/secrets/)", said)
    assert not re.search(r"://[^/\s]*:[^/\s]*@", said)


def test_what_lasts_lies_in_named_volumes_and_each_is_used() -> None:
    mounts = [mount.split(":")[0] for told in CONTAINERS.values() for mount in told.get("volumes", [])]
    assert {mount for mount in mounts if not mount.startswith("./")} == set(COMPOSE["volumes"])
    assert all((ROOT / mount).is_file() for mount in mounts if mount.startswith("./"))


def test_what_may_be_chosen_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    offered = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert asked == offered


def test_docker_compose_takes_the_file() -> None:
    command = next((c for c in (["docker-compose"], ["docker", "compose"]) if _runs(*c, "version")), None)
    if command is None:
        pytest.skip("neither docker-compose nor docker compose is installed")
    done = subprocess.run([*command, "config", "-q"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
