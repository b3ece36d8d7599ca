"""The log's table belongs to one account, the service runs as another: what deploy/postgres and `avow prepare` make."""

from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.kit.deployed import avow, deployed
from tests.kit.postgres import PrivatePostgres
from tests.kit.set_up import SERVICES, make_accounts, make_secrets


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    """A PostgreSQL as the set-up leaves it."""
    secrets = tmp_path_factory.mktemp("made") / "secrets"
    make_secrets(secrets)
    with PrivatePostgres() as server:
        make_accounts(server, secrets)
        yield server


def address(cluster: PrivatePostgres, account: str, database: str) -> str:
    return f"postgresql+asyncpg://{account}@127.0.0.1:{cluster.port}/{database}"


def as_services(cluster: PrivatePostgres, suffix: str = "") -> dict[str, str]:
    return {f"AVOW_{name.upper()}_DATABASE": address(cluster, f"{name}{suffix}", name) for name in SERVICES}


async def run(cluster: PrivatePostgres, account: str, database: str, *statements: str) -> None:
    connection = await asyncpg.connect(address(cluster, account, database).replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def pair(cluster: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a pair whose logs were prepared by their owners, and in which something has happened."""
    data = tmp_path_factory.mktemp("data")
    for _ in range(2):  # Once at each start.
        prepared = avow(data, "prepare", **as_services(cluster, "_owner"))
        assert prepared.returncode == 0, prepared.stderr
    settings = as_services(cluster)
    with deployed(data, **settings) as running:
        answer = httpx.post(
            f"{running.urls['pledge']}/main/people",
            json={"name": "林知微"},
            headers={**running.headers, "Idempotency-Key": "the-first-of-them"},
        )
        assert answer.status_code == 201, answer.text
    return settings


def test_a_service_lives_on_an_account_that_does_not_own_its_log(pair: dict[str, str], tmp_path: Path) -> None:
    for command in ("verify",), ("rebuild", "register", "--service", "pledge"), ("org", "create", "third"):
        done = avow(tmp_path, *command, **pair)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET type = 'x'",
        "DELETE FROM event",
        "TRUNCATE event",
        "DROP TABLE event",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "DROP TRIGGER event_is_never_altered ON event",
        "CREATE TRIGGER other BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse_to_alter_the_log()",
        "CREATE RULE other AS ON INSERT TO event DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION refuse_to_alter_the_log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "DROP FUNCTION refuse_to_alter_the_log CASCADE",
        "SET session_replication_role = replica",
        "SET ROLE pledge_owner",
        "DROP SCHEMA public CASCADE",
    ],
)
async def test_the_service_s_account_cannot_alter_the_log_nor_its_guards(
    cluster: PrivatePostgres, pair: dict[str, str], statement: str
) -> None:
    assert pair
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(cluster, "pledge", "pledge", statement)


async def test_not_even_the_owner_alters_an_event_while_the_guards_stand(
    cluster: PrivatePostgres, pair: dict[str, str]
) -> None:
    assert pair
    with pytest.raises(asyncpg.RestrictViolationError):
        await run(cluster, "pledge_owner", "pledge", "UPDATE event SET type = 'x'")


@pytest.mark.parametrize("account", ["evaluation", "evaluation_owner"])
async def test_no_account_of_a_service_reaches_the_other_s_database(cluster: PrivatePostgres, account: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(cluster, account, "pledge")


async def test_passwords_are_kept_as_scram_and_are_those_of_the_files(cluster: PrivatePostgres) -> None:
    query = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ 'pledge|evaluation'"
    connection = await asyncpg.connect(address(cluster, "avow", "postgres").replace("+asyncpg", ""))
    try:
        kept: dict[str, str] = {row[0]: row[1] for row in await connection.fetch(query)}
    finally:
        await connection.close()
    assert sorted(kept) == ["evaluation", "evaluation_owner", "pledge", "pledge_owner"]
    assert all(password.startswith("SCRAM-SHA-256$") for password in kept.values())
    assert len(set(kept.values())) == 4


async def test_a_service_does_not_start_on_a_log_whose_guards_are_switched_off(
    cluster: PrivatePostgres, pair: dict[str, str], tmp_path: Path
) -> None:
    await run(cluster, "pledge_owner", "pledge", "ALTER TABLE event DISABLE TRIGGER event_is_never_altered")
    try:
        refused = avow(tmp_path, "up", AVOW_SERVICES="pledge", AVOW_ROLE="web", **pair)
        assert refused.returncode == 2
        assert "avow prepare" in refused.stderr
    finally:
        await run(cluster, "pledge_owner", "pledge", "ALTER TABLE event ENABLE TRIGGER event_is_never_altered")


def test_sqlite_has_nothing_to_prepare(tmp_path: Path) -> None:
    refused = avow(tmp_path, "prepare")
    assert refused.returncode == 2
    assert "AVOW_PLEDGE_DATABASE" in refused.stderr


def test_an_account_that_is_not_there_is_not_granted_anything(
    new_postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    settings = {"AVOW_SERVICES": "pledge", "AVOW_PLEDGE_DATABASE": new_postgres_url()}
    refused = avow(tmp_path, "prepare", "--account", "nobody-here", **settings)
    assert refused.returncode == 2
    assert "nobody-here" in refused.stderr
