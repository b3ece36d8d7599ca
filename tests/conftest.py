"""Fixtures for every level: private servers, started only if a test asks for them, and both engines by turns."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.kit.postgres import PrivatePostgres
from tests.kit.rabbit import PrivateRabbit

# How long an example takes says something about the machine, not about the property.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """The cluster of this test process."""
    with PrivatePostgres() as cluster:
        yield cluster


@pytest.fixture
def new_postgres_url(postgres: PrivatePostgres) -> Iterator[Callable[[], str]]:
    """Makes a fresh, empty database at each call; all of them go with the test."""
    urls: list[str] = []

    def create() -> str:
        urls.append(postgres.create_database())
        return urls[-1]

    yield create
    for url in urls:
        postgres.drop_database(url)


@pytest.fixture
def postgres_url(new_postgres_url: Callable[[], str]) -> str:
    """The address (SQLAlchemy, asyncpg) of a fresh, empty database."""
    return new_postgres_url()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a fresh, empty database at each call; a test that asks for it runs once on each engine."""
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        return create
    numbers = count(1)
    return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"


@pytest.fixture
def engine_url(new_engine_url: Callable[[], str]) -> str:
    """The address of a fresh, empty database, on each engine by turns."""
    return new_engine_url()


@pytest.fixture(scope="session")
def rabbit() -> Iterator[PrivateRabbit]:
    """The RabbitMQ node of this test process. Who kills it revives it; who wipes it starts one of its own instead."""
    with PrivateRabbit() as node:
        yield node


@pytest.fixture
def amqp_url(rabbit: PrivateRabbit) -> Iterator[str]:
    """The address of a fresh, empty virtual host, which goes with the test."""
    url = rabbit.create_vhost()
    yield url
    rabbit.drop_vhost(url)
