"""What a service says it publishes is what it publishes: every line of a played feed fits the document beside it."""

import json
from typing import Any

import httpx
import jsonschema_rs
import pytest

from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.demo.college import SMALL
from avow.demo.playing import BEGINS, play
from avow.kernel.ports import SimulatedClock
from avow.service.hosting import Deployment
from avow.service.settings import Settings
from tests.kit.staged import ORG, staged

NOT_PLAYED = {"avow.obligation.waived.v1", "avow.person.erased.v1"}
"""What does not happen in the play."""


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_every_line_of_a_played_feed_fits_the_document_its_service_serves(settings: Settings) -> None:
    async with staged(settings, SimulatedClock(BEGINS)) as (running, stage):
        await play(stage, SMALL)
        for name, events in PUBLIC_EVENTS.items():
            messages, lines = await _published(running, name)
            said = {line["type"] for line in lines}
            assert len(lines) > 20
            for line in lines:
                messages[line["type"]].validate(line)
                others = [type for type, message in messages.items() if type != line["type"] and message.is_valid(line)]
                assert others == []
            known = {f"avow.{event.type}.v{event.schema_version}" for event in events}
            assert known - said <= NOT_PLAYED


async def _published(running: Deployment, name: str) -> tuple[dict[str, jsonschema_rs.Validator], list[dict[str, Any]]]:
    """What checks each message of a service, and every line of its feed."""
    headers = {"Authorization": f"Bearer {running.token}"}
    async with httpx.AsyncClient(base_url=running.urls[name], headers=headers, timeout=60) as client:
        document = (await client.get("/asyncapi.json")).json()
        checks: dict[str, jsonschema_rs.Validator] = {
            message["name"]: jsonschema_rs.Draft7Validator(
                {"allOf": [message["payload"]], "components": document["components"]}
            )
            for message in document["components"]["messages"].values()
        }
        lines: list[dict[str, Any]] = []
        after, head = 0, 1
        while after < head:
            page = await client.get(f"/{ORG}/feed", params={"after": after, "limit": 5000})
            # JSON may hold what Unicode calls a line separator.
            *found, last = [json.loads(line) for line in page.text.strip("\n").split("\n")]
            checks["feed.page_end"].validate(last)
            after, head = last["scanned_to"], last["head"]
            lines += found
    checks.pop("feed.page_end")
    return checks, lines
