import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from avow.observe.logging import configure_logging

SAID = "钟若岚 signs with swordfish"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    configure_logging(written)
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    try:
        raise KeyError(SAID)
    except KeyError as error:
        raise ValueError(SAID) from error


def only(lines: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(lines.getvalue())
    return line


def test_what_an_exception_says_is_not_logged_but_its_kind_and_place_are(lines: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger("ours").exception("work.failed")
    line = only(lines)
    assert [raised.partition(" at ")[0] for raised in line["raised"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert "test_logging.py" in line["raised"][0]
    assert "swordfish" not in lines.getvalue()


def test_a_library_that_logs_an_exception_is_held_to_the_same(lines: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("somebody.else").exception("it failed")
    line = only(lines)
    assert line["event"] == "it failed"
    assert line["raised"][0].startswith("builtins.ValueError at ")
    assert "swordfish" not in lines.getvalue()


def test_a_line_without_an_exception_names_none(lines: io.StringIO) -> None:
    structlog.get_logger("ours").info("work.done", org="main")
    assert "raised" not in only(lines)


def test_a_broken_connection_is_not_told_by_the_client_of_the_broker_too(lines: io.StringIO) -> None:
    logging.getLogger("aiormq.connection").error("closed")
    logging.getLogger("aio_pika.robust_connection").warning("reconnecting")
    assert lines.getvalue() == ""
