"""The demo as a newcomer runs it: from pledge to ledger in one command, every figure checked, and verified after."""

import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from avow.contracts.review import ReviewRoundAnnounced
from avow.demo.college import BRANCHES, LEADING_GROUP, OFFICE_DIRECTOR
from avow_evaluation.domain.ballot import BallotCast
from tests.kit.deployed import avow
from tests.unit.evaluation.oracle import recognition


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def played(data: Path) -> Mapping[str, Any]:
    said = avow(data, "demo", "--json", "--data", str(data))
    assert said.returncode == 0, said.stderr
    result: dict[str, Any] = json.loads(said.stdout)
    return result


def test_the_demo_goes_from_pledge_to_ledger_and_is_verified(played: Mapping[str, Any]) -> None:
    assert played["ok"] is True
    assert played["verdict"]["ok"] is True
    assert [row["validity"] for row in played["ledger"]] == ["valid", "low", "invalid"]
    assert [(row["pledges_made"], row["meetings_held"], row["comments"]) for row in played["ledger"]] == [(3, 1, 1)] * 3


def test_the_demo_shows_the_services_saying_no(played: Mapping[str, Any]) -> None:
    refused = [line["refused"] for line in played["story"] if line["refused"]]
    assert refused == [
        "pledge.item_incomplete",
        "time.late_without_reason",
        "ballot.already_cast",
        "round.closed",
    ]


def test_every_recognition_is_what_the_ballots_in_the_log_give(played: Mapping[str, Any], data: Path) -> None:
    with sqlite3.connect(data / "evaluation.db") as connection:
        rows = connection.execute("SELECT type, data FROM event WHERE stream NOT LIKE 'import/%'").fetchall()
    connection.close()
    announced = next(ReviewRoundAnnounced.model_validate_json(d) for t, d in rows if t == "review_round.announced")
    frozen = next(json.loads(d) for t, d in rows if t == "electorate.frozen")
    ballots = [BallotCast.model_validate_json(d) for t, d in rows if t == "ballot.cast"]
    assert len(ballots) == 114
    for row in played["ledger"]:
        eligible = {p["rater_class"]: p["eligible"] for p in frozen["parts"] if p["unit_id"] == row["unit_id"]}
        expected = recognition(announced.form, eligible, [b for b in ballots if b.unit_id == row["unit_id"]])
        assert (None if row["recognition"] is None else Decimal(row["recognition"])) == expected


def test_six_best_votes_of_thirty_two_are_withheld(played: Mapping[str, Any]) -> None:
    """C2"""
    thin = played["ledger"][2]
    assert (thin["eligible"], thin["cast"]) == (32, 8)
    assert thin["recognition"] is None
    assert thin["good_rate"] is None


def test_no_name_stands_in_the_clear_in_a_database_or_a_log_line(played: Mapping[str, Any], data: Path) -> None:
    names = [name for name, _ in LEADING_GROUP] + [OFFICE_DIRECTOR]
    names += [name for branch in BRANCHES for name in (branch.secretary, *branch.members)]
    for file in sorted(data.iterdir()):
        held = file.read_bytes()
        assert [name for name in names if name.encode() in held] == [], file.name


def test_a_simulated_book_is_not_continued_by_the_real_clock(played: Mapping[str, Any], data: Path) -> None:
    before = (data / "pledge.db").read_bytes()
    said = avow(data, "up", AVOW_ORGS="demo")
    assert said.returncode == 2
    assert "simulated clock" in said.stderr
    assert (data / "pledge.db").read_bytes() == before


def test_verify_agrees_afterwards_and_names_what_was_altered(played: Mapping[str, Any], data: Path) -> None:
    assert avow(data, "verify", "--json").returncode == 0
    with sqlite3.connect(data / "evaluation.db") as connection:
        connection.execute("UPDATE dedicated_ledger_v2 SET pledges_made = 4 WHERE seq = 1")
    connection.close()
    said = avow(data, "verify", "--json")
    assert said.returncode == 1
    (organisation,) = json.loads(said.stdout)["organisations"]
    ledger = next(p for p in organisation["services"][1]["projections"] if p["name"] == "dedicated_ledger")
    assert ledger["ok"] is False
    told = avow(data, "verify")
    assert told.returncode == 1
    assert "projection.differs" in told.stdout


def test_verify_and_doctor_say_when_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    said = avow(tmp_path, "verify")
    assert said.returncode == 2
    assert "avow up" in said.stderr
    assert avow(tmp_path, "doctor", "--json").returncode == 0


def test_the_demo_does_not_empty_a_folder_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    said = avow(tmp_path, "demo", "--json", "--data", str(tmp_path))
    assert said.returncode == 2
    assert (tmp_path / "mine.txt").read_text() == "kept"
