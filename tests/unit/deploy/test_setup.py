"""The set-up step: every secret made once, none ever made again, and readable by those who should."""

import base64
import hashlib
import json
import re
from pathlib import Path

from tests.kit.set_up import DEPLOY, SERVICES, make_secrets


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_every_secret_is_different_and_long_enough(tmp_path: Path) -> None:
    make_secrets(tmp_path / "made")
    plain = {text.strip() for text in contents(tmp_path / "made").values() if re.fullmatch(r"[0-9a-f]{48}\n", text)}
    assert len(plain) == 9
    make_secrets(tmp_path / "again")
    assert not plain & {text.strip() for text in contents(tmp_path / "again").values()}


def test_what_is_there_is_never_touched_and_what_is_missing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    make_secrets(folder)
    (folder / "avow_operator_token").chmod(0o600)
    (folder / "avow_operator_token").write_text("one that somebody chose himself\n")
    (folder / "avow_pledge_bus").unlink()
    before = contents(folder)
    assert "avow_pledge_bus" in make_secrets(folder)
    after = contents(folder)
    assert {name: text for name, text in after.items() if name != "avow_pledge_bus"} == before
    assert after["avow_pledge_bus"] == f"amqp://pledge:{before['rabbitmq_pledge'].strip()}@rabbitmq:5672/avow\n"


def test_only_the_owner_comes_into_the_folder_and_nothing_unfinished_stays(tmp_path: Path) -> None:
    make_secrets(tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir()} == {0o444}
    assert not list((tmp_path / "made").glob(".*"))


def test_rabbitmq_gets_the_hashes_of_the_passwords_and_not_the_passwords(tmp_path: Path) -> None:
    make_secrets(tmp_path / "made")
    made = contents(tmp_path / "made")
    users = {user["name"]: user for user in json.loads(made["rabbitmq_users.json"])["users"]}
    assert users.keys() == {*SERVICES, "subscribers"}
    for name, user in users.items():
        password = made[f"rabbitmq_{name}"].strip()
        assert password not in made["rabbitmq_users.json"]
        kept = base64.b64decode(user["password_hash"])
        assert kept[4:] == hashlib.sha256(kept[:4] + password.encode()).digest()
        assert user["tags"] == []


def test_the_secrets_are_never_committed_nor_built_in() -> None:
    assert "/deploy/secrets/" in (DEPLOY.parent / ".gitignore").read_text("utf-8").splitlines()
    taken = (DEPLOY.parent / ".dockerignore").read_text("utf-8").splitlines()
    assert taken[1] == "*"
    assert not any(line.startswith(("!deploy/secrets", "!.env", "!deploy\n")) for line in taken)
