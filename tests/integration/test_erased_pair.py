"""Somebody is erased in a pair that has played its campaign: gone everywhere, and everything still verifies."""

import asyncio
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, make_url

from avow.bus.feed_client import FeedClient
from avow.bus.inbox import Inbox
from avow.cli.verify import examine
from avow.contracts.catalogue import every_public_event
from avow.demo.client import Player, Refused
from avow.demo.playing import BEGINS, play
from avow.demo.stage import Stage
from avow.eventlog.database import Database
from avow.eventlog.keys import keys_of
from avow.eventlog.seals import ERASED
from avow.eventlog.tables import KEY_TABLES
from avow.kernel.ports import SimulatedClock
from avow.service.hosting import Deployment
from avow.service.settings import Settings
from tests.kit.logs import a_log
from tests.kit.staged import ORG, staged
from tests.kit.tiny_college import MEMBERS, TINY

NAME = MEMBERS[1]
FETCHED_WITHIN = 30.0


async def people(player: Player) -> dict[str, Any]:
    return {entry["person_id"]: entry["name"] for entry in (await player.read("people", limit=500))["items"]}


async def people_once_keys_came(player: Player) -> dict[str, Any]:
    async with asyncio.timeout(FETCHED_WITHIN):
        while None in (await people(player)).values():  # noqa: ASYNC110 - a client has nothing to be woken by
            await asyncio.sleep(0.02)
    return await people(player)


async def erase(stage: Stage, person_id: str) -> None:
    (membership,) = [
        entry
        for unit in (await stage.pledge.read("units"))["items"]
        for entry in (await stage.pledge.read("memberships", unit_id=unit["unit_id"]))["items"]
        if entry["person_id"] == person_id
    ]
    roles = (await stage.pledge.read("roles"))["items"]
    (director,) = [entry["person_id"] for entry in roles if entry["role"] == "office_director"]
    await stage.pledge.ask(f"people/{person_id}/erasure/request", {"basis": "consent_withdrawn"}, director)
    for actor, code in ((director, "erasure.second_person"), (None, "erasure.still_member")):
        with pytest.raises(Refused) as refused:
            await stage.pledge.ask(f"people/{person_id}/erasure/confirm", {}, actor)
        assert refused.value.problem["code"] == code
    await stage.pledge.ask(f"memberships/{person_id}/leave", {"unit_id": membership["unit_id"]})
    await stage.pledge.ask(f"people/{person_id}/erasure/confirm", {})
    await stage.heard()


async def require_gone(database: Database, secrets: Iterable[bytes]) -> None:
    """No value in any column of any table holds one of these, in whatever form it might be written."""
    for table, stored in (await database.read(_everything)).items():
        for secret in secrets:
            forms = (secret, secret.hex().encode(), b64encode(secret))
            assert [form for form in forms if form in stored] == [], table


def _everything(connection: Connection) -> dict[str, bytes]:
    known = MetaData()
    known.reflect(connection)
    assert {"event", "seal_key", "seal_key_copy", "erased_subject"} <= set(known.tables)
    rows = {name: connection.exec_driver_sql(f'SELECT * FROM "{name}"').all() for name in known.tables}
    return {
        name: b"\n".join(v if isinstance(v, bytes) else str(v).encode() for row in found for v in row)
        for name, found in rows.items()
    }


def _files(settings: Settings) -> bytes:
    urls = [make_url(settings.database_url(name)) for name in ("pledge", "evaluation")]
    files = [file for url in urls for file in Path(url.database or "").parent.glob(f"{Path(url.database or '').name}*")]
    return b"".join(file.read_bytes() for file in files)


async def _key(database: Database, subject: str, copied: bool) -> bytes:
    return (await database.read(lambda c: keys_of(c, ORG, [subject], KEY_TABLES[copied])))[subject]


async def require_verified(running: Deployment) -> None:
    (verdict,) = await examine({name: service.database for name, service in running.services.items()}, ORG)
    assert verdict.ok, verdict.findings
    registers = {p.checksum_live for side in verdict.sides for p in side.projections if p.name == "register"}
    assert len(registers) == 1


async def test_an_erased_person_is_gone_from_both_services_and_everything_verifies(
    settings: Settings, tmp_path: Path
) -> None:
    clock = SimulatedClock(BEGINS)
    async with staged(settings, clock) as (running, stage):
        await play(stage, TINY)
        clock.set(clock.now().replace(year=clock.now().year + 1))
        names = await people_once_keys_came(stage.evaluation)
        assert names == await people(stage.pledge)
        person_id = next(each for each, name in names.items() if name == NAME)
        subject = f"person/{person_id}"
        databases = [service.database for service in running.services.values()]
        pledge, evaluation = (running.services[name].database for name in ("pledge", "evaluation"))
        key = await _key(pledge, subject, copied=False)
        assert await _key(evaluation, subject, copied=True) == key
        for database, table in ((pledge, "seal_key"), (evaluation, "seal_key_copy")):
            assert key in (await database.read(_everything))[table]
        ledger = await stage.evaluation.entries("ledger")

        await erase(stage, person_id)

        for player in (stage.pledge, stage.evaluation):
            assert await people(player) == names | {person_id: ERASED}
        without = [row | ({"person": ERASED} if row["person_id"] == person_id else {}) for row in ledger]
        assert await stage.evaluation.entries("ledger") == without != ledger
        for database in databases:
            await require_gone(database, (key, NAME.encode()))
        if databases[0].dialect == "sqlite":
            assert [each for each in (key, NAME.encode()) if each in _files(settings)] == []
        await require_verified(running)
        await require_a_third_hears_it_all(running, tmp_path)

    async with staged(settings, clock) as (running, stage):
        await stage.heard()
        for player in (stage.pledge, stage.evaluation):
            assert await people(player) == names | {person_id: ERASED}
        await require_verified(running)


async def require_a_third_hears_it_all(running: Deployment, tmp_path: Path) -> None:
    """Another importer takes the whole feed in, erasure and all."""
    async with (
        FeedClient(running.urls["pledge"], running.token) as client,
        a_log(f"sqlite:///{tmp_path}/third.db", service="archive", types=every_public_event()) as third,
    ):
        head = await client.head(ORG)
        page = await client.page(ORG, 0, 5000)
        taken = await Inbox(third.database, third.appender, ORG).take(page.lines)
        assert (taken.imported, taken.rejected, taken.reached) == (head.sequence, 0, head.sequence)
        assert any(record.type == "person.erased" for record in await third.records())


async def test_keys_are_given_for_what_is_asked_and_to_nobody_without_the_token(settings: Settings) -> None:
    clock = SimulatedClock(BEGINS)
    async with staged(settings, clock) as (running, stage):
        first, second = [await stage.pledge.create("people", {"name": name}) for name in (NAME, "祁安然")]
        database = running.services["pledge"].database
        key = await _key(database, f"person/{first}", copied=False)
        asked = [f"person/{first}", "person/00000000-0000-4000-8000-000000000000"]
        async with FeedClient(running.urls["pledge"], running.token) as client:
            (item,) = (await client.keys(ORG, asked)).items
            assert (item.subject, item.key) == (f"person/{first}", key)
            assert key.hex() not in repr(item)
            assert repr(key) not in repr(item)
            answer = await client._http.get(f"/{ORG}/keys", params={"subject": asked})
            assert answer.headers["Cache-Control"] == "no-store"
            unasked = await client._http.get(f"/{ORG}/keys")
            assert unasked.status_code == 422
            many = await client._http.get(f"/{ORG}/keys", params={"subject": asked[:1] * 101})
            assert many.status_code == 422
            nobodys = await client._http.get("/nobody/keys", params={"subject": asked})
            assert nobodys.json()["code"] == "org.unknown"
            closed = await client._http.get(
                f"/{ORG}/keys", params={"subject": asked}, headers={"Authorization": "Bearer none"}
            )
            assert closed.status_code == 401
        # What was fetched is not passed on.
        await people_once_keys_came(stage.evaluation)
        async with FeedClient(running.urls["evaluation"], running.token) as client:
            assert (await client.keys(ORG, [f"person/{first}", f"person/{second}"])).items == []
