"""Log lines: one JSON object a line, times in UTC, identifiers only; never a body, a name, a token or a ballot.

At a terminal the same is written for a person to read.

Promises: of an exception only kinds and places are written, whoever logs it: a driver's message quotes the parameters
of the statement, a validator's what was sent (tests/unit/observe/test_logging.py).
"""

import logging
import sys
from typing import Literal, TextIO

import structlog

from avow.observe.asked import say_what_was_asked
from avow.observe.raised import raised

Style = Literal["json", "console"]
_TOLD_BETTER = ("aio_pika", "aiormq")
"""They report each broken connection many times over; the relay and the queues say once that the broker is away."""


def configure_logging(stream: TextIO, level: int = logging.INFO, style: Style | None = None) -> None:
    """Write this process's log lines to `stream`, those of its libraries too; in JSON unless it is a terminal."""
    style = style or ("console" if stream.isatty() else "json")
    shared: list[structlog.typing.Processor] = [
        say_what_was_asked,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = [
        _without_messages,
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty()),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _TOLD_BETTER:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _without_messages(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    given = line.pop("exc_info", None)
    if given:
        exc = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exception()
        line["raised"] = raised(exc)
    # The standard library keeps a text it made of the same exception.
    line.pop("exception", None)
    return line
