"""Fixtures for every level: a private PostgreSQL, started only if a test asks for it."""

from collections.abc import Callable, Iterator

import pytest

from tests.kit.postgres import PrivatePostgres


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
