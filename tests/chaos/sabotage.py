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
from avow.bus.taken import Taken
from avow.web.call import CommandCall

WELL_BEGUN = 10
"""From so many imports on the queue is surely consumed."""


def acknowledged_before_the_commit() -> None:
    """A delivery is settled as it comes, and once the queue is there nobody asks the feed what is missing."""

    async def enqueue(line: queue.Deliveries, message: RabbitMessage) -> None:
        await message.raw_message.ack()
        line.put(message.raw_message)

    async def settle(self: queue.Deliveries, taken: Taken) -> None:
        offered, self._offered = self._offered, ()
        self._waiting.extendleft(offered[place] for place in sorted(taken.ahead, reverse=True))

    catch_up = Follower._catch_up

    async def catch_up_at_first(self: Follower) -> None:
        if any(last.sequence > WELL_BEGUN for last in (await self._inbox.sources()).values()):
            await asyncio.sleep(0.2)
        else:
            await catch_up(self)

    _replace(queue, _enqueue=enqueue)
    _replace(queue.Deliveries, settle=settle)
    _replace(Follower, _catch_up=catch_up_at_first)


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
