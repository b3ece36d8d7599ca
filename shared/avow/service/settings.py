"""Settings, from the environment (`AVOW_…`) and nowhere else.

Promises: what is not understood is refused at start-up with the variable's name; the operator's token never prints.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

RESERVED = frozenset({"docs", "health", "problems"})
"""Paths of the services themselves, which no organisation can be called."""


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


DatabaseUrl = Annotated[str, AfterValidator(_a_database)]


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

    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    """Loopback only: the operator's token is the only lock there is."""

    pledge_port: Annotated[int, Field(ge=0, le=65535)] = 8401
    evaluation_port: Annotated[int, Field(ge=0, le=65535)] = 8402
    """0 takes a free port."""

    pledge_database: DatabaseUrl | None = None
    evaluation_database: DatabaseUrl | None = None
    """SQLAlchemy URLs; without one, a SQLite file under `data`."""

    operator_token: Annotated[SecretStr, AfterValidator(_fit_for_a_header)] | None = None
    """Made anew at each start where it is not given."""

    bus: Literal["feed"] = "feed"
    """How the services hear of each other's events."""

    def database_url(self, service: str) -> str:
        """Where a service keeps its log."""
        given: str | None = getattr(self, f"{service}_database")
        return given or f"sqlite:///{(self.data / f'{service}.db').resolve()}"

    def port(self, service: str) -> int:
        port: int = getattr(self, f"{service}_port")
        return port
