"""Real processes, killed and cut off while they work: nothing acknowledged is lost, doubled or reordered.

The short form of `make chaos`: every way to kill a service, and every other kind of fault on one engine or the other.
Then the same with a bug planted, which is found.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.course import Bounds, Outcome, chaos
from tests.chaos.faults import KILLS, OTHERS, Fault, at, every_kind_once
from tests.chaos.instants import INSTANTS
from tests.chaos.ledger import Service
from tests.chaos.pair import Engine

SEED = 7
ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")


async def struck(engine: Engine, folder: Path) -> Outcome:
    faults = list(every_kind_once(SEED, engine))
    outcome = await chaos(engine, SEED, iter(faults), Bounds(), folder)
    assert outcome.verdict.ok, outcome.as_json()
    assert outcome.faults == len(faults)
    assert outcome.instants.keys() == {fault.instant for fault in faults if fault.kind == "kill_at_an_instant"}
    assert outcome.acknowledged > 100, "hardly anything was asked for, so nothing was proved"
    assert outcome.given_again > 5, "hardly anybody was waiting for an answer, so nothing was proved"
    return outcome


async def test_nothing_acknowledged_is_lost_doubled_or_reordered_on_sqlite(tmp_path: Path) -> None:
    await struck("sqlite", tmp_path)


async def test_nothing_acknowledged_is_lost_doubled_or_reordered_on_postgresql(tmp_path: Path) -> None:
    await struck("postgresql", tmp_path)


def test_every_kind_of_fault_strikes_on_one_engine_or_the_other() -> None:
    faults = [fault for engine in ENGINES for fault in every_kind_once(SEED, engine)]
    assert {fault.kind for fault in faults} == {*KILLS, *OTHERS}
    assert {fault.instant for fault in faults if fault.kind == "kill_at_an_instant"} == set(INSTANTS)


async def with_a_bug(sabotage: str, instant: str, service: Service, folder: Path) -> Outcome:
    faults: Iterator[Fault] = iter([at(instant, service, times=3, after=2.0)])
    outcome = await chaos("sqlite", SEED, faults, Bounds(quiet=6), folder, sabotage)
    assert outcome.instants == {instant: 1}
    return outcome


async def test_a_delivery_acknowledged_before_its_commit_is_found_to_be_lost(tmp_path: Path) -> None:
    outcome = await with_a_bug("acknowledged_before_the_commit", "before import", "evaluation", tmp_path)
    assert outcome.verdict.lost
    assert "lacks" in outcome.verdict.lost[0]


async def test_a_command_whose_key_is_forgotten_is_found_to_be_doubled(tmp_path: Path) -> None:
    for time in range(4):
        # It takes a caller whose answer the kill took away, and who asks again.
        (folder := tmp_path / str(time)).mkdir()
        outcome = await with_a_bug("keys_forgotten", "behind append", "pledge", folder)
        assert not outcome.verdict.lost
        if outcome.verdict.doubled:
            return
    raise AssertionError("nothing was found to be doubled")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_draws_the_same_faults_again(seed: int) -> None:
    assert list(every_kind_once(seed, "sqlite")) == list(every_kind_once(seed, "sqlite"))
    assert list(every_kind_once(seed, "sqlite")) != list(every_kind_once(seed + 1, "sqlite"))
