"""What the commands say of the broker's queues, where there is a broker."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from pydantic import JsonValue

from avow.cli.output import out
from avow.contracts.wire import dead_queue
from avow.service.settings import Settings


@dataclass(frozen=True)
class Depth:
    """A queue: how much waits in it and how many consume it, or why that is not known."""

    queue: str
    messages: int | None = None
    consumers: int | None = None
    reason: str | None = None

    def as_json(self) -> JsonValue:
        """The same in JSON's terms."""
        told: JsonValue = asdict(self)
        return told

    def say_what_waits(self) -> None:
        """Tell a person of a queue of the dead that is not empty."""
        if self.messages:
            out.print(
                f"中间件放弃的还有 {self.messages} 件在队列 {self.queue} 里。 "
                f"{self.messages} that the broker gave up lie in the queue {self.queue}.",
                soft_wrap=True,
            )


def dead_queues(settings: Settings, services: Iterable[str]) -> dict[str, Depth]:
    """For each service that has a broker, what the broker gave up."""
    return {
        service: depths_of(settings, service, [dead_queue(service)])[dead_queue(service)]
        for service in services
        if settings.broker(service) is not None
    }


def depths_of(settings: Settings, service: str, queues: Iterable[str]) -> Mapping[str, Depth]:
    """How much waits in queues of a service; nothing where it has no broker."""
    url = settings.broker(service)
    if url is None:
        return {}
    # Imported where it is wanted: without a broker nobody needs its client.
    from avow.bus.depth import depths
    from avow.bus.relay import BrokerUnavailable

    names = list(queues)
    try:
        found = asyncio.run(depths(url, names))
    except BrokerUnavailable as error:
        return {name: Depth(name, reason=error.reason) for name in names}
    return {
        name: Depth(name, reason="no such queue") if depth is None else Depth(name, depth.messages, depth.consumers)
        for name, depth in found.items()
    }
