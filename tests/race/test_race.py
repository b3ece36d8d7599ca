"""Nothing acknowledged is lost, nothing is skipped, reordered or doubled, whoever writes beside whom and dies.

Eight writers in two processes, slow transactions among theirs, two of them killed and replaced, and a reader in a
process of its own. Then the same race without the head lock, which is lost.
"""

from pathlib import Path

import pytest

from tests.kit.race.course import race


async def test_a_race_of_writers_is_won(engine_url: str, tmp_path: Path) -> None:
    outcome = await race(engine_url, tmp_path, deeds=84, kills=(100, 150, 250))
    assert outcome.faults == {}
    assert outcome.events > 1000
    assert outcome.conflicts > 50, "the writers hardly met, so nothing was proved"
    assert outcome.repeated > 200, "hardly anything was asked for again, so nothing was proved"


@pytest.mark.parametrize(
    ("sabotaged", "kinds"), [("released_early", {"skipped", "hole"}), ("never_locked", {"failed"})]
)
async def test_without_the_head_lock_the_race_is_lost(
    engine_url: str, tmp_path: Path, sabotaged: str, kinds: set[str]
) -> None:
    outcome = await race(engine_url, tmp_path, deeds=21, sabotaged=sabotaged)
    # Whether the reader passes over what is late, or it never comes, is chance.
    assert kinds & outcome.faults.keys()


async def test_with_numbers_the_database_gives_each_row_a_reader_skips(postgres_url: str, tmp_path: Path) -> None:
    outcome = await race(postgres_url, tmp_path, deeds=21, sabotaged="numbered_by_the_database")
    assert {"skipped", "misplaced"} & outcome.faults.keys()
