"""Somebody else who writes between a command's reading and its writing."""

from collections.abc import Mapping, Sequence

from avow.eventlog.appender import Appender
from avow.eventlog.execute import Executor
from avow.eventlog.records import Appended, Import, Proposed
from tests.kit.logs import Log, always_current


class Rivalled(Appender):
    """An appender before whose next appends somebody else writes."""

    rivals: list[Proposed]

    async def append(
        self, org: str, items: Sequence[Proposed | Import], expect: Mapping[str, int] | None = None
    ) -> list[Appended]:
        if self.rivals:
            await super().append(org, [self.rivals.pop(0)])
        return await super().append(org, items, expect)


def rivalled(log: Log, *rivals: Proposed) -> Executor:
    """An executor that finds these written between its reading and its writing, one at each attempt."""
    appender = Rivalled(log.database, log.ports, log.grown)
    appender.rivals = list(rivals)
    return Executor(log.database, appender, log.types, log.ports, always_current)
