"""What a process remembers of its logs is bounded, and gone while a write is under way."""

from uuid import UUID

import pytest

from avow.eventlog import memory
from avow.eventlog.batch import Head
from avow.eventlog.memory import Memory, Remembered
from tests.kit.logs import START, identity

HEAD = Head(UUID(identity(1)), "pledge", "real", 1, 1, bytes(32), START)


def test_what_is_taken_for_a_write_is_forgotten_until_it_is_kept_again() -> None:
    known = Memory()
    assert known.take("demo") is None
    known.keep("demo", Remembered(HEAD), HEAD, {"a/1": 1})
    taken = known.take("demo")
    assert taken is not None
    assert taken.versions == {"a/1": 1}
    assert known.take("demo") is None
    assert known.take("other") is None


def test_the_streams_written_longest_ago_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STREAMS", 3)
    known, log = Memory(), Remembered(HEAD)
    known.keep("demo", log, HEAD, {"a/1": 1, "a/2": 1, "a/3": 1})
    known.keep("demo", log, HEAD, {"a/1": 2, "a/4": 1})
    assert log.versions == {"a/3": 1, "a/1": 2, "a/4": 1}
