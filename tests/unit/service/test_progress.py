"""A part that lacks something and does not move is said to stand still; one that moves, however slowly, is not."""

from collections import Counter
from typing import Literal

import pytest

from avow.service.progress import STILL, Progress, Seen, chores
from avow.service.service import ChoreState


def an_import(reached: int, goal: int, state: str = "live", halted: bool = False) -> Seen:
    return Seen("import", "import", "demo", reached, goal, state, halted)


def watched(*parts: Seen) -> tuple[Progress, float]:
    """A progress that has seen these, one every ten seconds, and the time of the last."""
    progress = Progress()
    for n, part in enumerate(parts):
        progress.note([part], 10.0 * n)
    return progress, 10.0 * (len(parts) - 1)


SO_LONG = int(STILL // 10) + 2


def test_what_is_behind_and_does_not_move_stands_still_and_is_named() -> None:
    progress, now = watched(*[an_import(3, 9)] * SO_LONG)
    (found,) = progress.standing_still(now)
    assert (found["kind"], found["org"], found["reached"], found["lag"]) == ("import", "demo", 3, 6)
    progress.note([an_import(4, 9)], now + 1)
    assert progress.standing_still(now + 1) == []


@pytest.mark.parametrize(
    "parts",
    [
        [an_import(3 + n, 10**6) for n in range(SO_LONG)],
        [an_import(3, 3)] * SO_LONG,
        [an_import(3, 9, "standby")] * SO_LONG,
        [an_import(3, 9, "paused")] * SO_LONG,
        [an_import(3, 9)] * 2,
        [*[an_import(3, 3)] * SO_LONG, an_import(3, 9)],
        [*[an_import(3, 9, "paused")] * SO_LONG, an_import(3, 9)],
    ],
    ids=["far behind but moving", "at the end", "stands by", "paused", "just now", "idle until now", "just resumed"],
)
def test_what_moves_or_has_nothing_to_do_is_well(parts: list[Seen]) -> None:
    progress, now = watched(*parts)
    assert progress.standing_still(now) == []


@pytest.mark.parametrize(
    ("state", "by", "red"),
    [
        ("running", "tally", False),
        ("waiting", "report", False),
        ("running", "report", True),
        ("failing", "tally", True),
    ],
    ids=["carries out", "has nothing to do", "hangs while another carries out", "fails each time"],
)
def test_a_chore_is_judged_by_what_it_does_itself(
    state: Literal["failing", "running", "waiting"], by: str, red: bool
) -> None:
    seen = [part for n in range(SO_LONG) for part in chores({"tally": ChoreState(state)}, Counter({by: n}))]
    progress, now = watched(*seen)
    assert [found["name"] for found in progress.standing_still(now)] == ["tally"] * red


def test_what_waits_for_a_person_is_red_at_once() -> None:
    progress, now = watched(an_import(3, 3, "source_changed", halted=True))
    assert [found["state"] for found in progress.standing_still(now)] == ["source_changed"]


def test_what_is_paused_is_said() -> None:
    progress, _ = watched(an_import(3, 9, "paused"))
    assert progress.paused() == [{"kind": "import", "name": "import", "org": "demo"}]


def test_a_database_that_is_away_is_red_until_it_is_back() -> None:
    progress, now = watched(an_import(3, 3))
    progress.fail("log.unavailable")
    assert progress.standing_still(now) == [{"kind": "database", "state": "log.unavailable"}]
    progress.note([an_import(3, 3)], now)
    assert progress.standing_still(now) == []


def test_before_the_first_look_nothing_is_ready() -> None:
    assert Progress().standing_still(0.0) == [{"kind": "database", "state": "starting"}]
