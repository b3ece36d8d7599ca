"""Settings, from the environment (`AVOW_…`), and from files where `AVOW_SECRETS` names their folder; nowhere else.

Promises: what is not understood is refused at start-up with the variable's name; no secret ever prints.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

RESERVED = frozenset({"contracts", "docs", "health", "metrics", "problems"})
"""Paths of the services themselves, which no organisation can be called."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FEED = "feed"


def _not_a_path_of_ours(org: str) -> str:
    if org in RESERVED:
        raise ValueError("taken by a path of the service itself")
    return org


OrgName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$"), AfterValidator(_not_a_path_of_ours)]


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _each_once(orgs: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(orgs)) < len(orgs):
        raise ValueError("an organisation is named twice")
    return orgs


def _a_database(url: str) -> str:
    try:
        known = not url or make_url(url).drivername in ("sqlite", "postgresql+asyncpg")
    except ArgumentError:
        known = False
    if not known:
        raise ValueError("neither sqlite:///… nor postgresql+asyncpg://…")
    return url


def _fit_for_a_header(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{20,}", token.get_secret_value()):
        raise ValueError("at least 20 printable ASCII characters, none of them a space")
    return token


def _a_bus(address: SecretStr) -> SecretStr:
    if not re.fullmatch(r"feed|amqps?://[^\s/]+(/\S*)?", address.get_secret_value()):
        raise ValueError("neither feed nor amqp://user:password@host/ nor amqps://…")
    return address


def _a_folder(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise ValueError("no such folder")
    return folder


DatabaseUrl = Annotated[str, AfterValidator(_a_database)]
Bus = Annotated[SecretStr, AfterValidator(_a_bus)]
ServiceName = Literal["pledge", "evaluation"]


class Settings(BaseSettings):
    """What one deployment of the pair is told."""

    model_config = SettingsConfigDict(env_prefix="AVOW_", extra="ignore", frozen=True)

    data: Path = Path("var")
    """Where the embedded databases live."""

    orgs: Annotated[
        tuple[OrgName, ...], NoDecode, BeforeValidator(_split), Field(min_length=1), AfterValidator(_each_once)
    ] = ("main",)
    """The organisations whose books are opened at start where they are missing, separated by commas.

    Every other book in the databases is kept as well: `avow org create` opens one at any time.
    """

    services: Annotated[tuple[ServiceName, ...], NoDecode, BeforeValidator(_split), AfterValidator(_each_once)] = ()
    """The services that run in this process, separated by commas; without one, every service that is installed."""

    role: Literal["worker", "web"] = "worker"
    """A `web` process answers requests; a `worker` moves the events as well, publishes, imports and does the chores.

    Of each service at least one worker is needed; of both kinds there may be any number.
    """

    pledge_url: HttpUrl | None = None
    evaluation_url: HttpUrl | None = None
    """Where a service that runs elsewhere answers: `http://evaluation:8402`."""

    pledge_port: Annotated[int, Field(ge=0, le=65535)] = 8401
    evaluation_port: Annotated[int, Field(ge=0, le=65535)] = 8402
    """0 takes a free port."""

    pledge_database: Annotated[DatabaseUrl | None, Field(repr=False)] = None
    evaluation_database: Annotated[DatabaseUrl | None, Field(repr=False)] = None
    """SQLAlchemy URLs; without one, a SQLite file under `data`."""

    operator_token: Annotated[SecretStr, AfterValidator(_fit_for_a_header)] | None = None
    """Made anew at each start where it is not given."""

    metrics_token: Annotated[SecretStr, AfterValidator(_fit_for_a_header)] | None = None
    """What opens `/metrics` and nothing else, for whoever collects them; the operator's token opens it too."""

    log: Literal["json", "console"] | None = None
    """How log lines are written; without it for a person at a terminal, and in JSON everywhere else."""

    traces: HttpUrl | None = None
    """Where a collector takes traces by OTLP over HTTP: `http://collector:4318`; it takes avow[trace]."""

    host: str = "127.0.0.1"
    """Where the services listen. Beyond loopback only with an operator's token that was chosen, never a default one."""

    bus: Bus = SecretStr("feed")
    """How the services hear of each other's events: `feed`, or the address of RabbitMQ, `amqp://user:password@host/`."""

    pledge_bus: Bus | None = None
    evaluation_bus: Bus | None = None
    """The same for one service, with an account of its own."""

    subscribers_bus: Bus | None = None
    """The same for `avow subscriber`, with an account that makes and removes the queues of subscribers."""

    rabbitmq_api: SecretStr | None = None
    """RabbitMQ's management interface with an administrator's account, `http://admin:password@host:15672`.

    `avow subscriber` makes and removes accounts and queues with it; without it, it prints what an administrator types.
    """

    secrets: Annotated[Path | None, AfterValidator(_a_folder)] = None
    """A folder of files, each with one setting that is a secret and named like it: `avow_operator_token`.

    What the environment says goes before what is in a file.
    """

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is said in code, in the environment, in the files of secrets, in this order."""
        folder = os.environ.get("AVOW_SECRETS")
        files = [SecretsSettingsSource(settings_cls, folder)] if folder and Path(folder).is_dir() else []
        return (init_settings, env_settings, *files)

    @field_validator("host")
    @classmethod
    def _open_only_behind_a_lock(cls, host: str, told: ValidationInfo) -> str:
        if host not in LOOPBACK and told.data.get("operator_token") is None:
            raise ValueError("beyond loopback AVOW_OPERATOR_TOKEN must be set")
        return host

    def database_url(self, service: str) -> str:
        """Where a service keeps its log."""
        given: str | None = getattr(self, f"{service}_database")
        return given or f"sqlite:///{(self.data / f'{service}.db').resolve()}"

    def port(self, service: str) -> int:
        port: int = getattr(self, f"{service}_port")
        return port

    def broker(self, service: str) -> str | None:
        """The address of RabbitMQ for a service or `subscribers`, with its password; None where the feed is all."""
        own: SecretStr | None = getattr(self, f"{service}_bus")
        address = (own or self.bus).get_secret_value()
        return None if address == FEED else address

    def url(self, service: str) -> str | None:
        """Where a service that runs elsewhere answers."""
        url: HttpUrl | None = getattr(self, f"{service}_url")
        return None if url is None else str(url).rstrip("/")
