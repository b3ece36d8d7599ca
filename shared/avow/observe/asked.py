"""What is being answered: the request that log lines are about, in one variable, since every request sets it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

import structlog

_asked: ContextVar[tuple[str, UUID, str | None] | None] = ContextVar("avow_asked", default=None)


@contextmanager
def asked(service: str, correlation_id: UUID, org: str | None) -> Iterator[None]:
    """Have the lines that are written meanwhile say what they are about."""
    token = _asked.set((service, correlation_id, org))
    try:
        yield
    finally:
        _asked.reset(token)


def say_what_was_asked(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add what is being answered to a line, where the line does not say it itself."""
    if (what := _asked.get()) is not None:
        service, correlation_id, org = what
        line.setdefault("service", service)
        line.setdefault("correlation_id", str(correlation_id))
        if org is not None:
            line.setdefault("org", org)
    return line
