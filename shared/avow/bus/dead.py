"""Where deliveries and reactions go that cannot be taken in or done: the service's dead letters.

Promises: what a delivery held is committed here before it is acknowledged; a log line says how many there were, of
which kind and why, and nothing of what they hold (tests/integration/test_dead_deliveries.py).
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

import structlog

from avow.eventlog import dead_letters
from avow.eventlog.database import Database
from avow.eventlog.dead_letters import Letter
from avow.kernel.ports import Ports

Bury = Callable[[str, Sequence[Letter]], Awaitable[None]]
"""Keeps letters of an organisation for a person to see to, or raises the database's error."""

_ROUTING_KEY = re.compile(r"[a-z][a-z0-9-]{0,31}(\.[a-z_]{1,32}){1,4}")
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

log = structlog.get_logger(__name__)


class DeadLetters:
    """The dead letters of a service."""

    def __init__(self, database: Database, ports: Ports) -> None:
        self._database = database
        self._ports = ports

    async def bury(self, org: str, letters: Sequence[Letter]) -> None:
        """Keep letters; raises the database's error."""
        now, new_id = self._ports.clock.now(), self._ports.new_id
        await self._database.write(partial(dead_letters.record, org=org, letters=letters, now=now, new_id=new_id))
        for (kind, reason), count in Counter((letter.kind, letter.reason) for letter in letters).items():
            log.warning("dead_letters.kept", org=org, kind=kind, reason=reason, letters=count)

    async def laid_aside(self, org: str, reaction: str, cause: UUID) -> bool:
        """Whether a reaction to a cause waits for a person."""
        read = partial(dead_letters.laid_aside, org=org, reaction=reaction, cause=cause)
        return await self._database.read(read)


def garbage(
    queue: str, exchange: str | None, routing_key: str | None, message_id: str | None, reason: str, body: bytes
) -> Letter:
    """A delivery that is no event to import; a key or an id of a form that is not ours may hold anything, and is not
    told."""
    told = _ROUTING_KEY.fullmatch(routing_key or "")
    known = _MESSAGE_ID.fullmatch(message_id or "")
    origin = f"{queue} < {exchange}" if exchange and re.fullmatch(r"[a-z.]{1,64}", exchange) else queue
    return Letter("garbage", reason, origin, body, told and told[0], known and known[0])
