"""What was read is at hand until somebody reads it anew, and there is never too much of it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from avow.eventlog import at_hand
from avow.eventlog.at_hand import NOWHERE, AtHand, NotAtHand, read_anew


def reading(*answers: int) -> Callable[[], int]:
    return iter(answers).__next__


def test_what_was_read_is_given_again_until_it_is_read_anew() -> None:
    known, read = AtHand(), reading(1, 2, 3)
    assert [known.recall("a", read), known.recall("a", read)] == [1, 1]
    assert known.refresh("a", read) == 2
    assert known.recall("a", read) == 2
    assert known.recall("b", read) == 3


def test_nothing_is_recalled_where_nothing_is_held() -> None:
    read = reading(1, 2)
    assert [read_anew("a", read), read_anew("a", read)] == [1, 2]


def test_an_answer_that_could_not_be_read_is_not_held() -> None:
    known = AtHand()
    with pytest.raises(NotAtHand):
        known.recall("a", lambda: NOWHERE.execute(select(1)).scalar_one())
    assert known.recall("a", reading(7)) == 7


def test_what_was_read_longest_ago_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "HELD", 4)
    known = AtHand()
    for n in range(4):
        known.refresh(n, reading(n))
    known.refresh(0, reading(10))
    known.refresh(4, reading(4))
    assert [known.recall(n, reading(99)) for n in (0, 3, 4)] == [10, 3, 4]
    assert known.recall(1, reading(99)) == 99
