"""Nothing in the log, and nothing in a view, says who cast a ballot."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, select

from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.eventlog.seals import open_seals
from avow.eventlog.tables import event
from avow.kernel.message import Event
from avow.kernel.seal import Seal
from avow_evaluation.domain import PRIVATE_EVENTS
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.credential import hash_of
from avow_evaluation.domain.electorate import RollFrozen
from avow_evaluation.domain.review_round import CredentialsIssued
from tests.unit.evaluation.builders import BEST, MEMBER, OPENS, ROWS, UNIT
from tests.unit.evaluation.college import ORG, Evaluation, an_evaluation

FORBIDDEN = re.compile(r"person|member_id|voter|rater_id|rater_name|actor|student|address|device|agent|token|name")
PERSONAL = {RollFrozen: {"entries"}, CredentialsIssued: {"hashes"}}
"""The two events about single people: the entries are sealed, and the hashes are of credentials that bear no name."""


WHO_WAS_REVIEWED = ("MemberReviewTallied", "person_id")
"""The one person an event of the service speaks of: never the one who reviewed."""


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as running:
        yield running


def fields_of(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    """Every field of a model and of the models inside it."""
    for name, info in model.model_fields.items():
        yield model, name
        for inner in models_in(info.annotation):
            yield from fields_of(inner)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Seal:
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def test_a_ballot_holds_these_four_and_nothing_else() -> None:
    assert list(BallotCast.model_fields) == ["round_id", "unit_id", "rater_class", "rows"]
    assert BallotCast.public is False


def test_no_event_of_the_service_has_a_place_for_whoever_reviewed() -> None:
    every: tuple[type[Event], ...] = (*PUBLIC_EVENTS["evaluation"], *PRIVATE_EVENTS)
    assert len(every) >= 10
    found = {(model.__name__, name) for kind in every for model, name in fields_of(kind) if FORBIDDEN.search(name)}
    assert found == {WHO_WAS_REVIEWED}


def test_only_a_ballot_knows_grades_and_only_a_roll_knows_people() -> None:
    for kind in PRIVATE_EVENTS:
        names = set(kind.model_fields)
        assert ("rows" in names) == (kind is BallotCast)
        assert names & {"entries", "hashes"} == PERSONAL.get(kind, set())


def test_no_public_event_has_a_place_for_a_credential_or_a_ballot() -> None:
    for kind in PUBLIC_EVENTS["evaluation"]:
        assert not {name for _, name in fields_of(kind)} & {"hash", "hashes", "credential", "credentials", "entries"}


async def test_a_ballots_row_in_the_log_names_nobody_and_no_time_but_the_hour(evaluation: Evaluation) -> None:
    """R-41: even where the caller says who they are, and which trace and key the call has."""
    round_id = await evaluation.a_round_open()
    credential = evaluation.credentials[UNIT, "mass"][0]
    evaluation.clock.set(OPENS.replace(minute=47, second=12))
    headers = {
        "Acting-As": MEMBER,
        "Idempotency-Key": "the-key-of-a-rater",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    body = {"credential": credential, "rows": dict.fromkeys(ROWS, BEST)}
    answer = await evaluation.client.post(f"rounds/{round_id}/ballots", json=body, headers=headers)
    assert answer.status_code == 201
    query = select(event).where(event.c.org == ORG, event.c.type == BallotCast.type)
    row = (await evaluation.service.database.read(lambda c: c.execute(query).mappings().all()))[0]
    assert row["stream"] == f"ballot/{round_id}/{hash_of(credential)}"
    assert (row["version"], row["sequence"], row["occurred_at"]) == (1, None, OPENS)
    context = ("actor", "on_behalf_of", "campaign", "correlation_id", "causation_id", "traceparent", "late_reason")
    assert [row[name] for name in context] == [None] * len(context)
    assert credential not in str(dict(row))


async def test_the_rolls_are_in_the_log_only_under_seal(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_ready()
    query = select(event).where(event.c.org == ORG, event.c.type == RollFrozen.type).order_by(event.c.position)
    rows = await evaluation.service.database.read(lambda c: c.execute(query).mappings().all())
    assert len(rows) == 4
    assert not any(
        b"20100101" in row["data"] or b"20100101" in row["sealed"] or b"entries" in row["data"] for row in rows
    )
    record = next(r for r in await evaluation.records() if r.type == RollFrozen.type)
    frozen = evaluation.service.types.decode(record)
    assert isinstance(frozen, RollFrozen)
    seal = frozen.entries
    assert isinstance(seal, Seal)
    assert seal.subject == f"round/{round_id}"
    opened = await evaluation.service.database.read(lambda c: open_seals(c, ORG, [seal]))
    assert opened[seal] == [f"201001{n:02}" for n in range(1, 9)]


async def test_no_roll_is_in_any_view_and_only_one_table_knows_a_hash(evaluation: Evaluation) -> None:
    await evaluation.a_round_open()
    views = evaluation.service.runner.projections
    await evaluation.service.runner.reach(ORG, evaluation.position, [view.name for view in views])
    hashes = [hash_of(credential) for part in evaluation.credentials.values() for credential in part]

    def tables(connection: Connection) -> dict[str, str]:
        found = ((table.name, table.sql(view.version)) for view in views for table in view.tables)
        return {name: str(connection.execute(select(sql)).all()) for name, sql in found}

    held = await evaluation.service.database.read(tables)
    assert not any("20100101" in content for content in held.values())
    assert [name for name, content in held.items() if any(known in content for known in hashes)] == ["credential"]
