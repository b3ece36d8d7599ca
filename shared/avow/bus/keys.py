"""The keys of seals for an entitled service: served by whoever made them, fetched in the background by whoever shows
what they open.

Promises: a service gives only keys it made, and only to the operator's token; a key goes into no log line, and no
cache may store the answer. A fetched key is kept behind the head lock, as imports are, so one that comes after its
subject was erased is not kept (tests/contract/test_keys.py).
Limit: one token opens a whole deployment; which service may have which key is decided by what its blueprint asks for.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from pydantic import StringConstraints
from sqlalchemy import Connection

from avow.bus.background import Background
from avow.bus.feed import OrgName
from avow.bus.feed_client import FeedClient, FeedUnavailable
from avow.bus.format import Keys, SealKey
from avow.eventlog.append import read_head
from avow.eventlog.database import Database
from avow.eventlog.keys import keep_copies, keys_of
from avow.eventlog.signal import Signal
from avow.kernel.refusal import Refusal
from avow.web.responses import READ_RESPONSES

MOST = 100
"""How many keys are asked for at a time."""
PACE = 0.5
"""Seconds between two looks for missing keys, however fast the log grows."""
IDLE = 1.0
"""Seconds after which it is looked for missing keys again, even if nobody in this process wrote."""
PAUSE = 5.0
"""Seconds to wait when the other service does not answer."""

Missing = Callable[[Connection, str, str, int], list[str]]
"""The key subjects a service needs and lacks: (connection, org, behind which subject, how many at most) → in order."""
Subject = Annotated[str, StringConstraints(pattern=r"^(person|scope/[a-z][a-z0-9_.-]{0,63})/[0-9a-f-]{36}$")]

log = structlog.get_logger(__name__)


def keys_router(database: Database) -> APIRouter:
    """The route `/{org}/keys`; it raises Refusal `org.unknown`."""
    router = APIRouter(tags=["keys"])

    @router.get("/{org}/keys", responses=READ_RESPONSES)
    async def keys(
        org: OrgName,
        subject: Annotated[
            list[Subject], Query(min_length=1, max_length=MOST, description="Whose key: `person/<id>`; up to 100.")
        ],
    ) -> Keys:
        """Keys that open seals of this service's events, for a service that shows what they hold. Secret.

        With a key, the sealed fields under its subject are plain text wherever the log was copied to: keep it out of
        the log's backups, and destroy it when `person.erased` says so. A subject that was erased, or never had a key
        here, is missing from the answer.
        """

        def read(connection: Connection) -> dict[str, bytes]:
            if read_head(connection, org) is None:
                raise Refusal("org.unknown", "org", org=org)
            return keys_of(connection, org, subject)

        found = await database.read(read)
        return Keys(items=[SealKey(subject=each, key=key) for each, key in sorted(found.items())])

    return router


class KeyFetcher(Background):
    """Fetches for one organisation, between `start` and `stop`, the keys that `missing` names."""

    def __init__(self, client: FeedClient, database: Database, org: str, missing: Missing, grown: Signal) -> None:
        self._client = client
        self._database = database
        self._org = org
        self._missing = missing
        self._grown = grown
        self._failing = False

    async def fetch(self) -> int:
        """Ask once for every key that is missing; how many came. Raises FeedUnavailable."""
        came, after = 0, ""
        while subjects := await self._database.read(partial(self._lacking, after=after)):
            keys = await self._client.keys(self._org, subjects)
            wanted = {each.subject: each.key for each in keys.items if each.subject in subjects}
            if wanted:
                await self._database.write(partial(self._keep, keys=wanted))
            came, after = came + len(wanted), subjects[-1]
        return came

    def _lacking(self, connection: Connection, after: str) -> Sequence[str]:
        return self._missing(connection, self._org, after, MOST)

    def _keep(self, connection: Connection, keys: dict[str, bytes]) -> None:
        # Whoever erases holds the head too: afterwards it is known whether the subject still stands.
        read_head(connection, self._org, lock=True)
        keep_copies(connection, self._org, keys)

    async def _run(self) -> None:
        while True:
            seen = self._grown.raised
            try:
                await self.fetch()
                self._failing = False
            except Exception as error:  # noqa: BLE001 - the next round finds out
                if not self._failing:
                    reason = error.reason if isinstance(error, FeedUnavailable) else type(error).__name__
                    log.warning("keys.not_fetched", org=self._org, reason=reason)
                self._failing = True
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(PACE)
            await self._grown.wait(IDLE - PACE, seen)
