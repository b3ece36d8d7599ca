"""Nothing acknowledged is lost, nothing is skipped, reordered or doubled, whoever writes beside whom and dies.

Eight writers in two processes, slow transactions among theirs, two of them killed and replaced, and a reader in a
process of its own. Then the same race without the head lock, which is lost.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.race.course import race

RACES = 8


async def test_a_race_of_writers_is_won(engine_url: str, tmp_path: Path) -> None:
    outcome = await race(engine_url, tmp_path, deeds=84, kills=(100, 150, 250))
    assert outcome.faults == {}
    assert outcome.events > 1000
    assert outcome.conflicts > 50, "the writers hardly met, so nothing was proved"
    assert outcome.repeated > 200, "hardly anything was asked for again, so nothing was proved"


@pytest.mark.parametrize(("sabotaged", "kind"), [("released_early", "skipped"), ("never_locked", "failed")])
async def test_without_the_head_lock_the_race_is_lost(
    new_engine_url: Callable[[], str], tmp_path: Path, sabotaged: str, kind: str
) -> None:
    # In which race it goes wrong is chance: the unique constraints may save a short one.
    for n in range(RACES):
        folder = tmp_path / f"race-{n}"
        folder.mkdir()
        outcome = await race(new_engine_url(), folder, deeds=21, sabotaged=sabotaged)
        if kind in outcome.faults:
            return
    pytest.fail(f"{RACES} races were won without the lock")


async def test_with_numbers_the_database_gives_each_row_a_reader_skips(
    new_postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    for n in range(RACES):
        folder = tmp_path / f"race-{n}"
        folder.mkdir()
        outcome = await race(new_postgres_url(), folder, deeds=21, sabotaged="numbered_by_the_database")
        if "skipped" in outcome.faults:
            return
    pytest.fail(f"in {RACES} races no reader skipped")
