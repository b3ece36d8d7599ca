"""What `avow subscriber` does at the broker, where there is one: the queue with an account of the pair, the account
through the management interface, or in the words an administrator types.
"""

import base64
from dataclasses import dataclass

from pydantic import JsonValue

from avow.bus.subscribers import Subscriber
from avow.cli.output import fail
from avow.kernel.ports import Ports
from avow.service.hosting import installed
from avow.service.settings import Settings

CONNECTION = "avow subscriber"


@dataclass(frozen=True)
class AtTheBroker:
    """A subscriber's queue and address; `todo` is what is left for an administrator."""

    queue: str
    url: str | None
    todo: tuple[str, ...]

    def as_json(self) -> JsonValue:
        return {"queue": self.queue, "url": self.url, "todo": list(self.todo)}


def broker_of(settings: Settings) -> str | None:
    """The address of RabbitMQ with the account for this, or else as the first service has it."""
    return settings.broker("subscribers") or settings.broker(next(iter(installed())))


async def add_to_broker(settings: Settings, who: Subscriber, ports: Ports) -> AtTheBroker | None:
    """Make queue and account; None where the feed is all there is. Ends the command where the broker is away."""
    broker = broker_of(settings)
    if broker is None:
        return None
    # Imported where they are wanted: without a broker nobody needs its client.
    from avow.bus import accounts
    from avow.bus.publisher import BROKER_AWAY, close, connect
    from avow.bus.topology import declare_subscriber, subscriber_keys, subscriber_queue

    try:
        connection = await connect(broker, CONNECTION)
        try:
            await declare_subscriber(connection, who.name, subscriber_keys(who.orgs, who.types))
        finally:
            await close(connection)
    except BROKER_AWAY as error:
        _fail(type(error).__name__, who.name)
    password = base64.urlsafe_b64encode(ports.random_bytes(24)).decode()
    todo: tuple[str, ...] = ()
    if settings.rabbitmq_api is None:
        todo = tuple(accounts.commands_to_add(broker, who.name, password))
    else:
        try:
            await accounts.add_account(settings.rabbitmq_api.get_secret_value(), broker, who.name, password)
        except accounts.ManagementFailed as error:
            _fail(error.reason, who.name)
    return AtTheBroker(subscriber_queue(who.name), accounts.address_for(broker, who.name, password), todo)


async def remove_from_broker(settings: Settings, name: str) -> AtTheBroker | None:
    """Remove queue and account; None where the feed is all there is."""
    broker = broker_of(settings)
    if broker is None:
        return None
    from avow.bus import accounts
    from avow.bus.publisher import BROKER_AWAY, close, connect
    from avow.bus.topology import remove_subscriber, subscriber_queue

    try:
        if settings.rabbitmq_api is not None:
            await accounts.remove_account(settings.rabbitmq_api.get_secret_value(), name)
        connection = await connect(broker, CONNECTION)
        try:
            await remove_subscriber(connection, name)
        finally:
            await close(connection)
    except (accounts.ManagementFailed, *BROKER_AWAY) as error:
        fail(
            f"令牌已吊销，但 RabbitMQ 未完成（{error}）。请恢复后由管理员删除队列和账号 {subscriber_queue(name)}。",
            f"The token is revoked, but RabbitMQ did not do its part ({error}). Have an administrator delete the queue "
            f"and the account {subscriber_queue(name)}.",
        )
    todo = () if settings.rabbitmq_api is not None else tuple(accounts.commands_to_remove(name))
    return AtTheBroker(subscriber_queue(name), None, todo)


def _fail(reason: str, name: str) -> None:
    fail(
        f"令牌已登记，但 RabbitMQ 未完成（{reason}）。请检查 AVOW_SUBSCRIBERS_BUS、AVOW_BUS 和 AVOW_RABBITMQ_API，"
        f"再运行 avow subscriber revoke {name} 后重新登记。",
        f"The token is there, but RabbitMQ did not do its part ({reason}). Check "
        f"AVOW_SUBSCRIBERS_BUS, AVOW_BUS and AVOW_RABBITMQ_API, then `avow subscriber revoke {name}` and add it again.",
    )
