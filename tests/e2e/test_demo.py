"""The demo as a newcomer runs it: two years of a college in one command, every figure computed again, and verified."""

import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from avow.demo.college import FULL, LEADING_GROUP
from avow.eventlog.database import open_database
from tests.kit import oracle
from tests.kit.deployed import avow
from tests.kit.raw_log import raw

ORG = "demo"
UNITS, MEMBERS = "award.advanced_unit", "award.outstanding_member"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def played(data: Path) -> Mapping[str, Any]:
    said = avow(data, "demo", "--json", "--data", str(data))
    assert said.returncode == 0, said.stderr
    result: dict[str, Any] = json.loads(said.stdout)
    return result


def own_events(data: Path, service: str, kind: str) -> list[dict[str, Any]]:
    with sqlite3.connect(data / f"{service}.db") as connection:
        query = "SELECT data FROM event WHERE type = ? AND stream NOT LIKE 'import/%' ORDER BY position"
        found = connection.execute(query, (kind,)).fetchall()
    connection.close()
    return [json.loads(said) for (said,) in found]


def test_the_demo_goes_from_pledge_to_candidates_and_is_verified(played: Mapping[str, Any]) -> None:
    assert played["ok"] is True
    assert played["verdict"]["ok"] is True
    assert (len(FULL.branches), sum(branch.members for branch in FULL.branches)) == (12, 400)
    assert sum(branch.public for branch in FULL.branches) == 6000
    counted = {service: sum(map(sum, events.values())) for service, events in played["events"].items()}
    assert sum(counted.values()) > 40_000
    assert played["events"]["evaluation"]["ballot.cast"][0] > 19_000


def test_the_demo_shows_the_services_saying_no(played: Mapping[str, Any]) -> None:
    refused = [line["refused"] for line in played["story"] if line["refused"]]
    assert refused == [
        "pledge.item_incomplete",
        "ballot.already_cast",
        "ballot.own_row",
        "time.late_without_reason",
    ]


async def test_every_score_and_place_is_what_the_raw_events_give(played: Mapping[str, Any], data: Path) -> None:
    database = open_database(f"sqlite:///{data / 'evaluation.db'}")
    imported, own = await database.read(partial(raw, org=ORG))
    await database.close()
    assert len(oracle.scores(imported, own)) == (12 + 400) + (11 + 400)
    assert oracle.disagreements(imported, own) == []


def test_six_best_votes_of_many_are_withheld_until_the_round_is_held_again(
    played: Mapping[str, Any], data: Path
) -> None:
    """C2"""
    tallied = [said for said in own_events(data, "evaluation", "review.tallied") if not said["rehearsal"]]
    thin = next(said for said in tallied if said["eligible"] == 275 and said["cast"] == 6)
    assert (thin["validity"], thin["recognition"], thin["good_rate"], thin["rows"]) == ("invalid", None, None, [])
    again = [said for said in tallied if said["unit_id"] == thin["unit_id"]]
    assert [said["validity"] != "invalid" for said in again] == [False, True, True, True, True]


def test_a_rehearsal_enters_neither_ledger_nor_score(played: Mapping[str, Any], data: Path) -> None:
    """C14"""
    rehearsed = {said["round_id"] for said in own_events(data, "evaluation", "review.tallied") if said["rehearsal"]}
    assert len(rehearsed) == 1
    with sqlite3.connect(data / "evaluation.db") as connection:
        held = {round_id for (round_id,) in connection.execute("SELECT DISTINCT round_id FROM dedicated_ledger")}
    connection.close()
    assert held
    assert not rehearsed & held


def test_each_phase_is_scored_by_the_rules_published_before_it(played: Mapping[str, Any], data: Path) -> None:
    """C9, R-48"""
    scored = own_events(data, "evaluation", "assessment.calculated")
    used = {(said["phase"], said["subject"], said["rules_version"]) for said in scored}
    assert used == {("phase1", "unit", 1), ("phase1", "member", 1), ("phase2", "unit", 1), ("phase2", "member", 2)}


def test_whoever_moves_is_reviewed_where_they_are_and_a_merged_branch_is_scored_no_more(
    played: Mapping[str, Any],
) -> None:
    """C10"""
    first, second = (played["candidates"][phase] for phase in ("phase1", "phase2"))
    assert (len(first[UNITS]), len(second[UNITS])) == (12, 11)
    assert {place["unit"] for place in first[UNITS]} - {place["unit"] for place in second[UNITS]} == {"机关第二支部"}
    assert len(first[MEMBERS]) == len(second[MEMBERS]) == 400
    units = [{place["subject_id"]: place["unit"] for place in phase[MEMBERS]} for phase in (first, second)]
    moved = [(units[0][person], units[1][person]) for person in units[0] if units[0][person] != units[1][person]]
    assert moved == [("机关第二支部", "机关第一支部")] * 28


def test_the_places_of_a_category_are_in_order_and_each_says_why(played: Mapping[str, Any]) -> None:
    for places in (places for phase in played["candidates"].values() for places in phase.values()):
        for category in {place["category"] for place in places}:
            ranked = [place for place in places if place["category"] == category and place["rank"]]
            totals = [Decimal(place["total"]) for place in ranked]
            assert totals == sorted(totals, reverse=True)
            assert [place["rank"] for place in ranked] == sorted(place["rank"] for place in ranked)
            assert all(place["reason"] and place["assessment_event"] for place in ranked)


def test_what_the_demo_prints_can_be_asked_back(played: Mapping[str, Any], data: Path) -> None:
    for award in (UNITS, MEMBERS):
        best = next(place for place in played["candidates"]["phase2"][award] if place["rank"] == 1)
        said = avow(data, "explain", "score", best["assessment_id"], "--json")
        assert said.returncode == 0, said.stderr
        tree = json.loads(said.stdout)["tree"]
        assert tree["stored"] == tree["computed"] == best["total"]


def test_another_day_shows_what_was_known_then(played: Mapping[str, Any], data: Path) -> None:
    asked = ("asof", "commendation_candidates", "--org", ORG, "--json")
    then, now = (avow(data, *asked, "--at", day) for day in ("2011-06-30", "2012-06-30"))
    assert (then.returncode, now.returncode) == (0, 0), then.stderr + now.stderr
    assert "phase2" not in then.stdout
    assert "phase2" in now.stdout


def test_no_name_stands_in_the_clear_in_a_database_or_a_log_line(played: Mapping[str, Any], data: Path) -> None:
    names = [*(name for name, _ in LEADING_GROUP), *FULL.names()]
    assert len(set(names)) == 407
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
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'dedicated_ledger_v%'"
        ((table,),) = connection.execute(query)
        connection.execute(f"UPDATE {table} SET pledges_made = pledges_made + 1 WHERE seq = 1")
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
