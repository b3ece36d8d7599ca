"""Bugs to be planted in the services, so that it is seen that chaos finds them: each replaces a part in its process.

Nothing of this can be switched on in the product.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from faststream.rabbit import RabbitMessage

from avow.bus import queue
from avow.bus.follower import Follower
from avow.bus.inbox import Taken
from avow.web.call import CommandCall


def acknowledged_before_the_commit() -> None:
    """A delivery is settled as it comes, and nobody asks the feed what is missing."""

    async def enqueue(line: queue.Deliveries, message: RabbitMessage) -> None:
        await message.raw_message.ack()
        line.put(message.raw_message)

    async def settle(self: queue.Deliveries, taken: Taken) -> None:
        offered, self._offered = self._offered, ()
        self._waiting.extendleft(offered[place] for place in sorted(taken.ahead, reverse=True))

    async def never_catch_up(self: Follower) -> None:
        await asyncio.sleep(0.2)

    _replace(queue, _enqueue=enqueue)
    _replace(queue.Deliveries, settle=settle)
    _replace(Follower, _catch_up=never_catch_up, _meet_source=never_catch_up)


def keys_forgotten() -> None:
    """A command that is given again is carried out again."""
    create = CommandCall.create

    async def create_anew(self: CommandCall, *arguments: Any, **named: Any) -> Any:
        return await create(replace(self, retry_key=secrets.token_hex(16)), *arguments, **named)

    _replace(CommandCall, create=create_anew)


SABOTAGE: dict[str, Callable[[], None]] = {
    sabotage.__name__: sabotage for sabotage in (acknowledged_before_the_commit, keys_forgotten)
}


def _replace(owner: Any, **parts: Callable[..., Any]) -> None:
    for name, part in parts.items():
        setattr(owner, name, part)
