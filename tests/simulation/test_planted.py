"""The simulation bites: a planted bug is found, in weather that the pair itself comes through."""

from collections.abc import Callable

import pytest

from tests.simulation.pair import simulate
from tests.simulation.planted import BUGS, database_failing, stopping
from tests.simulation.weather import Weather, rough

SEEDS = range(1, 21)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    """Here by the first seed that does; that most do, `python -m tests.simulation --bugs` shows."""
    bug = BUGS[name]
    assert any(
        simulate(seed, bug.parts, weather=bug.weather, commands=bug.commands).wrong for seed in SEEDS
    )  # fmt: skip


@pytest.mark.parametrize("weather", [rough, database_failing, stopping])
def test_the_pair_itself_comes_through_the_same_weather(weather: Callable[[Weather], Weather]) -> None:
    outcome = simulate(1, weather=weather, commands=20)
    assert not outcome.wrong, str(outcome)
