"""A command takes effect once, on the state it was decided on, or says why not."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import Connection

from avow.contracts.organisation import PersonRegistered
from avow.eventlog import reading
from avow.eventlog.execute import Asked, Executor, Grounds, Origin, Outcome
from avow.eventlog.records import Proposed
from avow.eventlog.statements import versions_of
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import PrivateEvent
from avow.kernel.refusal import Refusal
from avow.kernel.seal import Seal
from tests.kit.counter import STREAM, Add, Added, Grounding, a_counter
from tests.kit.logs import TYPES, Log, Noted, a_log, a_person, identity, proposed
from tests.kit.rivals import rivalled

ONE, TWO = UUID(int=1), UUID(int=2)
A, B = identity(1), identity(2)


def keyed(key: str = "key-1", fingerprint: UUID = ONE, org: str = "demo", actor: str | None = None) -> Origin:
    return Origin(org, actor, "POST /counters", key, fingerprint)


def a_rival(by: int = 10, stream: str = f"{STREAM}/{A}") -> Proposed:
    return proposed(Added(by=by), stream)


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log with two books that knows what a counter says."""
    async with a_log(engine_url, orgs=("demo", "other"), types=(*TYPES, Added)) as opened:
        yield opened


async def add(
    log: Log, by: int, origin: Origin, counter: str = A, events: int = 1, seen: list[int] | None = None
) -> Outcome:
    return await log.executor.execute(a_counter(seen), counter, Add(by=by, events=events), Grounding(), origin)


async def total(log: Log, counter: str = A, org: str = "demo") -> int:
    records = await log.database.read(partial(reading.stream, org=org, name=f"{STREAM}/{counter}"))
    return a_counter().fold(log.types.decode_as((Added,), records))


class TestExecute:
    async def test_a_command_is_decided_on_what_its_stream_holds(self, log: Log) -> None:
        seen: list[int] = []
        outcomes = [await add(log, by, Origin("demo"), seen=seen) for by in (1, 2, 3)]
        assert seen == [0, 1, 3]
        assert [outcome.position for outcome in outcomes] == [2, 3, 4]
        assert [row.version for outcome in outcomes for row in outcome.events] == [1, 2, 3]
        assert not any(outcome.repeated for outcome in outcomes)

    async def test_nothing_is_decided_on_a_stream_with_an_event_of_a_later_release(self, log: Log) -> None:
        class AddedLater(PrivateEvent, type="counter.added", schema=2, upcasters={1: dict}):
            amount: int

        await add(log, 1, Origin("demo"))
        (later,) = await log.append(proposed(AddedLater(amount=2), f"{STREAM}/{A}"))
        with pytest.raises(Refusal) as refused:
            await add(log, 4, Origin("demo"))
        assert (refused.value.code, refused.value.params) == (
            "log.schema_unknown",
            {"type": "counter.added", "schema": 2},
        )
        assert (await log.head()).position == later.position
        assert (await add(log, 4, Origin("demo"), counter=B)).position == later.position + 1

    async def test_an_event_says_who_caused_it_and_what_it_belongs_to(self, log: Log) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        origin = Origin("demo", identity(9), "POST /counters", "key-1", ONE, TWO, trace)
        grounding = Grounding()
        await log.executor.execute(a_counter(), A, Add(by=1), grounding, origin)
        row = (await log.rows())[-1]
        assert (row.stream, row.type) == (f"{STREAM}/{A}", "counter.added")
        assert (row.actor, row.campaign) == (identity(9), "spring")
        assert (row.causation_id, row.correlation_id, row.traceparent, row.late_reason) == (ONE, TWO, trace, None)
        (asked,) = grounding.asked
        assert (asked.org, asked.identity, asked.actor, asked.state) == ("demo", A, identity(9), 0)
        assert asked.now == asked.occurred_at == log.ports.clock.now()

    async def test_a_repeated_command_answers_as_before_and_changes_nothing(self, log: Log) -> None:
        first = await add(log, 5, keyed())
        await add(log, -5, Origin("demo"))
        again = await add(log, 5, keyed())
        assert (again.position, again.events) == (first.position, first.events)
        assert (first.repeated, again.repeated) == (False, True)
        assert await total(log) == 0

    async def test_a_repeated_command_that_would_be_refused_now_answers_as_before(self, log: Log) -> None:
        await add(log, 5, Origin("demo"))
        first = await add(log, -5, keyed())
        again = await add(log, -5, keyed())
        assert (again.repeated, again.events) == (True, first.events)

    async def test_a_refusal_is_decided_on_what_is_current_and_not_on_what_was_at_hand(self, log: Log) -> None:
        seen: list[int] = []
        await add(log, 1, Origin("demo"))
        await log.append(a_rival(10))
        await add(log, -11, Origin("demo"), seen=seen)
        assert seen == [1, 11]
        assert await total(log) == 0

    async def test_a_state_at_hand_has_no_text_in_the_clear_that_the_log_holds_sealed(self, log: Log) -> None:
        seen: list[object] = []

        def decide(command: Add, name: object, facts: Facts) -> list[PersonRegistered]:
            seen.append(name)
            return [a_person(7, "钟若岚")]

        person: Decider[Add, object, Facts, PersonRegistered] = Decider(
            "person", None, decide, lambda name, event: event.name, (PersonRegistered,)
        )

        def ground(connection: Connection, asked: Asked[Add, object]) -> Grounds[Facts]:
            return Grounds(Facts(asked.occurred_at), guarded=True)

        for _ in range(2):
            await log.executor.execute(person, A, Add(by=1), ground, Origin("demo"))
        assert [type(name) for name in seen] == [type(None), Seal]

    async def test_facts_that_no_version_guards_are_read_once_they_are_current(self, log: Log) -> None:
        waited: list[str] = []

        async def current(org: str) -> None:
            waited.append(org)

        executor = Executor(log.database, log.appender, log.types, log.ports, current)
        for guarded, so_far in ((True, []), (False, ["demo"])):
            await executor.execute(a_counter(), A, Add(by=1), Grounding(guarded=guarded), Origin("demo"))
            assert waited == so_far
        with pytest.raises(Refusal, match=r"counter\.below_zero"):
            await executor.execute(a_counter(), A, Add(by=-9), Grounding(), Origin("demo"))
        assert waited == ["demo", "demo"]

    async def test_a_repeated_command_of_many_events_answers_with_all_of_them(self, log: Log) -> None:
        first = await add(log, 1, keyed(), events=120)
        again = await add(log, 1, keyed(), events=120)
        assert again.events == first.events
        assert (again.position, len(again.events)) == (121, 120)

    async def test_a_command_without_a_key_is_never_taken_for_a_repetition(self, log: Log) -> None:
        for _ in range(2):
            await add(log, 1, Origin("demo"))
        assert await total(log) == 2

    async def test_keys_of_other_actors_and_organisations_are_other_keys(self, log: Log) -> None:
        for origin in (keyed(), keyed(actor=identity(8)), keyed(actor=identity(9)), keyed(org="other")):
            assert not (await add(log, 1, origin)).repeated
        assert (await total(log), await total(log, org="other")) == (3, 1)

    async def test_of_twins_that_race_one_takes_effect_and_all_get_its_answer(self, log: Log) -> None:
        outcomes = await asyncio.gather(*(add(log, 1, keyed(), events=3) for _ in range(8)))
        assert {(outcome.position, outcome.events) for outcome in outcomes} == {(4, outcomes[0].events)}
        assert sum(not outcome.repeated for outcome in outcomes) == 1
        assert await total(log) == 3

    async def test_a_key_used_for_another_command_is_refused(self, log: Log) -> None:
        await add(log, 1, keyed())
        for counter in (A, B):
            with pytest.raises(Refusal) as refused:
                await add(log, 2, keyed(fingerprint=TWO), counter)
            assert (refused.value.code, refused.value.field) == ("idempotency.key_reused", "Idempotency-Key")
        assert (await total(log), await total(log, B)) == (1, 0)

    @pytest.mark.parametrize("counter", [A, B])
    async def test_a_key_used_for_two_commands_that_race_is_refused_to_one(self, log: Log, counter: str) -> None:
        answers = await asyncio.gather(
            add(log, 1, keyed()), add(log, 1, keyed(fingerprint=TWO), counter), return_exceptions=True
        )
        assert sum(isinstance(answer, Outcome) for answer in answers) == 1
        assert [answer.code for answer in answers if isinstance(answer, Refusal)] == ["idempotency.key_reused"]
        assert len(await log.rows()) == 2

    async def test_a_conflict_is_decided_again_on_the_newer_state(self, log: Log) -> None:
        seen: list[int] = []
        outcome = await rivalled(log, a_rival()).execute(a_counter(seen), A, Add(by=1), Grounding(), keyed())
        assert seen == [0, 10]
        assert [(row.position, row.version) for row in outcome.events] == [(3, 2)]
        assert await total(log) == 11

    async def test_what_the_newer_state_forbids_is_refused(self, log: Log) -> None:
        await add(log, 5, Origin("demo"))
        with pytest.raises(Refusal, match=r"counter\.below_zero"):
            await rivalled(log, a_rival(-3)).execute(a_counter(), A, Add(by=-4), Grounding(), keyed())
        assert await total(log) == 2

    async def test_after_three_conflicts_the_command_is_given_up(self, log: Log) -> None:
        seen: list[int] = []
        with pytest.raises(Refusal) as refused:
            await rivalled(log, *(a_rival() for _ in range(4))).execute(
                a_counter(seen), A, Add(by=1), Grounding(), keyed()
            )
        assert (refused.value.code, refused.value.params) == ("log.conflict", {"stream": STREAM})
        assert seen == [0, 10, 20, 30]
        assert await total(log) == 40

    async def test_a_decision_falls_when_what_its_facts_rest_on_has_moved(self, log: Log) -> None:
        grounding = Grounding(lambda connection: {"round/1": 0} | versions_of(connection, "demo", ["round/1"]))
        rival = proposed(Noted(text="the round was closed"), "round/1")
        await rivalled(log, rival).execute(a_counter(), A, Add(by=1), grounding, keyed())
        assert len(grounding.asked) == 2
        assert [row.stream for row in (await log.rows())[1:]] == ["round/1", f"counter/{A}"]

    async def test_a_refusal_writes_nothing_and_is_not_remembered(self, log: Log) -> None:
        with pytest.raises(Refusal) as refused:
            await add(log, -1, keyed())
        assert (refused.value.code, refused.value.params) == ("counter.below_zero", {"total": 0})
        assert len(await log.rows()) == 1
        await add(log, 1, Origin("demo"))
        assert not (await add(log, -1, keyed())).repeated
        assert await total(log) == 0

    async def test_a_command_that_changes_nothing_writes_nothing(self, log: Log) -> None:
        assert await add(log, 1, keyed(), events=0) == Outcome(1, ())
        assert len(await log.rows()) == 1


def a_noted_counter() -> Decider[Add, int, Facts, Added | Noted]:
    """A counter that notes each step beside itself."""

    def decide(command: Add, total: int, facts: Facts) -> list[Added | Noted]:
        return [Added(by=command.by), Noted(text=str(total + command.by))]

    def evolve(total: int, event: Added | Noted) -> int:
        return total + event.by if isinstance(event, Added) else total

    return Decider(STREAM, 0, decide, evolve, (Added,), beside={Noted: lambda _: "note/all"})


async def test_an_event_beside_goes_into_its_own_stream_with_the_same_append(log: Log) -> None:
    counter = a_noted_counter()
    for key in ("key-1", "key-2"):
        # The second is decided on the state at hand, whose version counts its own stream alone.
        await log.executor.execute(counter, A, Add(by=3), Grounding(), keyed(key))
    records = (await log.records())[-4:]
    own, beside = f"{STREAM}/{A}", "note/all"
    assert [(record.stream, record.version) for record in records] == [(own, 1), (beside, 1), (own, 2), (beside, 2)]
    assert b"6" in records[-1].data


async def test_a_decision_does_not_hold_once_the_stream_beside_has_moved(log: Log) -> None:
    at_first = Grounding(lambda connection: {"note/all": 0})
    moved = proposed(Noted(text="taken"), "note/all")
    with pytest.raises(Refusal, match=r"log\.conflict"):
        await rivalled(log, moved).execute(a_noted_counter(), A, Add(by=3), at_first, keyed())
    assert await total(log) == 0
