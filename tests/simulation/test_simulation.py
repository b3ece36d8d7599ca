"""The pair comes through whatever a seed brings; a seed is the same every time; and a process may end at any call.

More seeds: `make simulate SEEDS=1000`.
"""

import os
import subprocess
import sys
from itertools import count

import pytest

from tests.simulation.many import summed
from tests.simulation.pair import Outcome, Pair, simulate
from tests.simulation.planted import BUGS
from tests.simulation.weather import Weather, rough

SEEDS = range(12)
EVERY = 23
"""One call in so many is one at which a process ends here."""


def _calm(weather: Weather) -> Weather:
    return Weather(storm=4.0, slow=0.0)


def test_whatever_a_seed_brings_nothing_is_lost_or_doubled_and_all_goes_on() -> None:
    came = [simulate(seed) for seed in SEEDS]
    for outcome in came:
        assert not outcome.wrong, str(outcome)
    for fault in ("crash", "restart", "database away", "broker away", "connection dead", "clock set", "delivered"):
        assert summed(came)[fault], fault


@pytest.mark.parametrize("seed", range(3))
def test_the_pair_comes_through_rough_weather(seed: int) -> None:
    outcome = simulate(seed, weather=rough)
    assert not outcome.wrong, str(outcome)


def _digest(seed: int, hashing: str) -> str:
    """The digest a process of its own comes to, where sets and dictionaries of texts have another order."""
    command = [sys.executable, "-m", "tests.simulation", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hashing}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return ran.stdout.split()[-1]


def test_a_seed_has_the_same_record_in_every_process() -> None:
    here = simulate(7).digest
    assert [_digest(7, "1"), _digest(7, "2")] == [here, here]
    assert simulate(8).digest != here


def test_a_failure_says_how_to_have_it_again_and_is_had_again() -> None:
    bug = BUGS["acknowledged before the commit"]
    first, again = [simulate(3, bug.parts, weather=bug.weather) for _ in range(2)]
    assert first.wrong
    assert first == again
    assert "python -m tests.simulation 3" in str(first)


def _ending_at(side: str, call: int) -> Outcome:
    """A short calm simulation in which the first process of one service ends at its n-th call."""

    def prepare(pair: Pair) -> None:
        pair.processes[side][0].ends_at = call

    return simulate("every call", weather=_calm, prepare=prepare, commands=2)


@pytest.mark.parametrize("side", ["pledge", "evaluation"])
def test_a_process_may_end_at_any_of_its_calls(side: str) -> None:
    for call in count(1, EVERY):
        outcome = _ending_at(side, call)
        assert not outcome.wrong, f"at call {call} of {side}: {outcome}"
        if "crash" not in outcome.seen:
            # It makes no more calls than that.
            assert call > 5 * EVERY
            return
