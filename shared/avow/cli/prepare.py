"""`avow prepare`: creates the log's table as the account that owns it, so that the service's account does not.

Run with the owner's address in `AVOW_<SERVICE>_DATABASE`, before the service starts with its own; any number of times.
Promises: what it finds is left as it is, and the service's account may read the table and append to it, nothing else
(tests/integration/test_two_accounts.py).
"""

import asyncio
import json
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated

import typer
from sqlalchemy import make_url

from avow.cli.databases import opened
from avow.cli.output import fail, needing_the_databases, out, read_settings
from avow.eventlog.tables import prepare_log
from avow.service.hosting import installed
from avow.service.settings import Settings


def prepare(
    account: Annotated[
        str | None, typer.Option(help="服务的数据库账户，默认与服务同名 / the service's account, else named like it")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出 / print JSON")] = False,
) -> None:
    """以日志表所有者的身份建表并授权（PostgreSQL）。 Create the log's table as its owner, and grant (PostgreSQL)."""
    settings = read_settings()
    services: list[str] = list(settings.services or installed())
    for service in services:
        if make_url(settings.database_url(service)).get_backend_name() != "postgresql":
            name = f"AVOW_{service.upper()}_DATABASE"
            fail(
                f"{name} 不是 PostgreSQL；SQLite 没有账户之分，无须此步。",
                f"{name} is not PostgreSQL; SQLite knows no accounts and needs no preparing.",
            )
    accounts = {service: account or service for service in services}
    with needing_the_databases():
        asyncio.run(_prepare(settings, accounts))
    if json_:
        out.print(json.dumps({"prepared": accounts}), soft_wrap=True, markup=False)
        return
    for service, reader in accounts.items():
        out.print(f"[green]✓[/green] {service}：日志表就绪，{reader} 只能读取和追加。", soft_wrap=True)
        out.print(f"  The log's table is there; {reader} may read and append.", soft_wrap=True)


async def _prepare(settings: Settings, accounts: dict[str, str]) -> None:
    async with AsyncExitStack() as stack:
        for service, database in (await opened(stack, settings, accounts)).items():
            await database.write(partial(prepare_log, account=accounts[service]))
