"""Accounts at the broker for subscribers: each may read its own queue, and nothing else.

Promises: an account can declare, write and bind nothing (tests/integration/test_subscriber_commands.py). Made through
RabbitMQ's management interface, or in the words an administrator types.
"""

from urllib.parse import quote, unquote, urlsplit

import httpx

from avow.bus.topology import subscriber_queue

ANSWER = 20.0


class ManagementFailed(Exception):
    """The management interface did not do what was asked; `reason` holds no credential."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def vhost_of(broker: str) -> str:
    """The virtual host an address names; without a path it is `/`."""
    return unquote(urlsplit(broker).path.removeprefix("/")) or "/"


def address_for(broker: str, name: str, password: str) -> str:
    """The broker's address with a subscriber's account."""
    parts = urlsplit(broker)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{subscriber_queue(name)}:{quote(password, safe='')}@{host}", query="").geturl()


def readable(name: str) -> str:
    """The pattern of what a subscriber's account may read."""
    return f"^{subscriber_queue(name).replace('.', chr(92) + '.')}$"


def commands_to_add(broker: str, name: str, password: str) -> list[str]:
    """What an administrator types to make the account."""
    user = subscriber_queue(name)
    return [
        f"rabbitmqctl add_user '{user}' '{password}'",
        f"rabbitmqctl set_permissions --vhost '{vhost_of(broker)}' '{user}' '^$' '^$' '{readable(name)}'",
    ]


def commands_to_remove(name: str) -> list[str]:
    """What an administrator types to remove the account."""
    return [f"rabbitmqctl delete_user '{subscriber_queue(name)}'"]


async def add_account(api: str, broker: str, name: str, password: str) -> None:
    """Make the account through the management interface at `api`; raises ManagementFailed."""
    user = subscriber_queue(name)
    permissions = {"configure": "^$", "write": "^$", "read": readable(name)}
    await _ask(api, "PUT", f"/api/users/{user}", {"password": password, "tags": ""})
    await _ask(api, "PUT", f"/api/permissions/{quote(vhost_of(broker), safe='')}/{user}", permissions)


async def remove_account(api: str, name: str) -> None:
    """Remove the account, and end its connections; raises ManagementFailed."""
    await _ask(api, "DELETE", f"/api/users/{subscriber_queue(name)}")


async def _ask(api: str, method: str, path: str, body: dict[str, str] | None = None) -> None:
    try:
        async with httpx.AsyncClient(timeout=ANSWER, trust_env=False) as client:
            answer = await client.request(method, f"{api.rstrip('/')}{path}", json=body)
    except httpx.HTTPError as error:
        raise ManagementFailed(type(error).__name__) from error
    if answer.is_error and not (method == "DELETE" and answer.status_code == 404):
        raise ManagementFailed(f"HTTP {answer.status_code}")
