"""A reaction that fails over and over is laid aside for a person, and no other for it."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from avow.bus.dead import DeadLetters
from avow.eventlog import dead_letters
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.dead_letters import Kept
from avow.kernel.refusal import Refusal
from avow.service.reactions import TRIES, Reactions
from tests.kit.logs import ORG, START, Log

CAUSE, OTHER = UUID(int=1), UUID(int=2)
SECRET = "祁安然 swordfish"


class Work:
    """Something that is asked for, and fails as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = failures
        self.tries = 0

    async def __call__(self) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures[min(self.tries, len(self.failures)) - 1]


@pytest.fixture
async def reactions(log: Log) -> AsyncIterator[Reactions]:
    """What carries reactions out over a fresh log, and says nothing of what an exception holds."""
    with capture_logs() as lines:
        yield Reactions(DeadLetters(log.database, log.ports))
    assert SECRET not in "".join(str({k: v for k, v in line.items() if k != "exc_info"}) for line in lines)


async def letters(log: Log) -> list[Kept]:
    return await log.database.read(partial(dead_letters.find, fingerprint=""))


async def carry_out(reactions: Reactions, work: Work, times: int = 1, cause: UUID = CAUSE) -> None:
    for _ in range(times):
        await reactions.carry_out("tally-round", ORG, cause, work)


@pytest.mark.parametrize(
    ("failure", "reason"), [(Refusal("round.not_closed"), "round.not_closed"), (KeyError(SECRET), "KeyError")]
)
async def test_it_is_tried_so_often_and_then_waits_for_a_person(
    log: Log, reactions: Reactions, failure: Exception, reason: str
) -> None:
    work, other = Work(failure), Work()
    await carry_out(reactions, work, TRIES - 1)
    assert await letters(log) == []
    await carry_out(reactions, work, 4)
    await carry_out(reactions, other, cause=OTHER)
    assert (work.tries, other.tries) == (TRIES, 1)
    (letter,) = await letters(log)
    assert (letter.kind, letter.origin, letter.reason, letter.message_id, letter.body) == (
        "reaction", "tally-round", reason, str(CAUSE), None,
    )  # fmt: skip


async def test_another_process_leaves_it_alone_too_and_all_go_on_once_a_person_says_so(
    log: Log, reactions: Reactions
) -> None:
    work = Work(*[Refusal("round.not_closed")] * TRIES, *[Refusal("round.open")] * TRIES)
    await carry_out(reactions, work, TRIES)
    elsewhere = Reactions(DeadLetters(log.database, log.ports))
    await carry_out(elsewhere, work)
    assert work.tries == TRIES
    (letter,) = await letters(log)
    settled = partial(dead_letters.settle, org=ORG, ids=[letter.id], how="retried", why="mended", now=START)
    await log.database.write(settled)
    await carry_out(reactions, work, 2 * TRIES)
    assert work.tries == 2 * TRIES
    assert [each.reason for each in await letters(log)] == ["round.open"]


async def test_only_failures_in_a_row_count(log: Log, reactions: Reactions) -> None:
    failing, well = Work(Refusal("round.not_closed")), Work()
    for _ in range(3):
        await carry_out(reactions, failing, TRIES - 1)
        await carry_out(reactions, well)
    assert await letters(log) == []


@pytest.mark.parametrize(
    "failure", [Refusal("log.conflict"), Refusal("position.not_reached"), OutcomeUnknown("nobody knows")]
)
async def test_what_passes_by_itself_does_not_count(log: Log, reactions: Reactions, failure: Exception) -> None:
    work = Work(failure)
    await carry_out(reactions, work, 2 * TRIES)
    assert (work.tries, await letters(log)) == (2 * TRIES, [])


async def test_a_database_that_is_away_does_not_count_and_is_told_to_whoever_asked(
    log: Log, reactions: Reactions
) -> None:
    work = Work(OperationalError("SELECT", None, Exception("database is locked")))
    for _ in range(2 * TRIES):
        with pytest.raises(OperationalError):
            await carry_out(reactions, work)
    assert await letters(log) == []
