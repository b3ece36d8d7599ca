"""What a process remembers of a log is bounded, the streams written latest last."""

from uuid import UUID

import pytest

from avow.eventlog import memory
from avow.eventlog.batch import Head, Request
from avow.eventlog.memory import Remembered
from tests.kit.logs import START, identity

HEAD = Head(UUID(identity(1)), "pledge", "real", 1, 1, bytes(32), START)


def test_the_streams_written_longest_ago_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STREAMS", 3)
    known = Remembered(HEAD)
    known.learn({"a/1": 1, "a/2": 1, "a/3": 1})
    known.forget()
    known.learn({"a/1": 2, "a/4": 1})
    known.forget()
    assert known.versions == {"a/3": 1, "a/1": 2, "a/4": 1}


def test_what_the_log_does_not_know_yet_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STREAMS", 1)
    known = Remembered(HEAD, {"a/1": 2, "a/2": 1, "a/3": 1})
    known.forget(but={"a/1"})
    assert known.versions == {"a/1": 2, "a/3": 1}


def test_a_stream_that_has_no_events_is_known_too() -> None:
    known = Remembered(HEAD, {"a/1": 0})
    assert known.unknown([Request([], {"a/1": 0, "b/1": 4})]) == {"b/1"}
