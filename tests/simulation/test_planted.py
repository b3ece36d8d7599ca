"""The simulation bites: a planted bug is found, in weather that the pair itself comes through."""

from collections.abc import Callable

import pytest

from tests.simulation.pair import simulate
from tests.simulation.planted import BUGS, database_failing, stopping
from tests.simulation.weather import Weather, rough

ENOUGH, SEEDS = 3, range(1, 21)
"""How many seeds must fail here, of how many at most; `python -m tests.simulation --bugs` shows that most do."""


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found_again_and_again(name: str) -> None:
    bug, failing = BUGS[name], 0
    for seed in SEEDS:
        outcome = simulate(seed, bug.parts, weather=bug.weather, commands=bug.commands)
        failing += bool(outcome.wrong)
        if failing == ENOUGH:
            return
    pytest.fail(f"only {failing} of {len(SEEDS)} seeds found it")


@pytest.mark.parametrize("weather", [rough, database_failing, stopping])
def test_the_pair_itself_comes_through_the_same_weather(weather: Callable[[Weather], Weather]) -> None:
    outcome = simulate(1, weather=weather, commands=20)
    assert not outcome.wrong, str(outcome)
