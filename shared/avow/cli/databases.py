"""The services' databases, as the commands open them."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import Connection, inspect, make_url

from avow.cli.output import fail
from avow.eventlog.database import Database, Patience, open_database
from avow.service.settings import Settings

UNHURRIED = Patience(answer=3600)
"""One statement may go through a whole log."""


async def opened(stack: AsyncExitStack, settings: Settings, services: Iterable[str]) -> dict[str, Database]:
    """The database of each of these services, closed with the stack."""
    databases = {}
    for name in services:
        databases[name] = open_database(settings.database_url(name), UNHURRIED)
        stack.push_async_callback(databases[name].close)
    return databases


def has_a_log(connection: Connection) -> bool:
    """Whether a log was ever kept in this database."""
    return inspect(connection).has_table("log_head")


def require_databases(settings: Settings, services: Iterable[str]) -> None:
    """End the command where a service's SQLite file is not there: opening it would make an empty one."""
    for name in services:
        url = make_url(settings.database_url(name))
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            fail(
                f"找不到 {name} 的数据库：{url.database}。",
                f"No database of {name} at {url.database}. Start once with `avow up`, or check --data.",
            )
