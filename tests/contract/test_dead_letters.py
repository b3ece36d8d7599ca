"""Dead letters are grouped by their cause, bounded, and hold nothing of whoever was erased."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from avow.contracts.organisation import PersonErased
from avow.eventlog import dead_letters
from avow.eventlog.dead_letters import KEPT, LARGEST, Group, Kept, Letter
from avow.eventlog.erasure import erase_again
from avow.eventlog.tables import dead_letter
from avow.kernel.message import Event
from tests.kit.logs import ORG, START, TYPES, Log, a_log, a_person, identity, proposed

KNOWN: tuple[type[Event], ...] = (*TYPES, PersonErased)
MARKER = "祁安然 swordfish"


@pytest.fixture
async def log(new_engine_url: Callable[[], str]) -> AsyncIterator[Log]:
    """A log with two persons."""
    async with a_log(new_engine_url(), types=KNOWN) as opened:
        await opened.append(proposed(a_person(1)), proposed(a_person(2)))
        yield opened


def garbage(body: bytes, reason: str = "form", queue: str = "pledge.inbox.demo") -> Letter:
    return Letter("garbage", reason, queue, body)


def a_reaction(cause: int, reason: str = "round.not_closed") -> Letter:
    return Letter("reaction", reason, "tally-round", message_id=identity(cause))


async def record(log: Log, *letters: Letter) -> None:
    await log.database.write(partial(dead_letters.record, org=ORG, letters=letters, now=START, new_id=log.ports.new_id))


async def groups(log: Log, settled_too: bool = False) -> list[Group]:
    return await log.database.read(partial(dead_letters.groups, settled_too=settled_too))


async def kept(log: Log) -> list[Kept]:
    return await log.database.read(partial(dead_letters.find, fingerprint=""))


async def settle(log: Log, letter: Kept) -> int:
    work = partial(dead_letters.settle, org=ORG, ids=[letter.id], how="discarded", why="seen to", now=START)
    return await log.database.write(work)


async def bodies(log: Log) -> bytes:
    stored = await log.database.read(lambda c: c.scalars(select(dead_letter.c.body)).all())
    return b"\n".join(body for body in stored if body is not None)


def naming(n: int) -> bytes:
    return f'{{"data": {{"person_id": "{identity(n)}", "name": "{MARKER}"}}}}'.encode()


async def erase(log: Log, n: int) -> None:
    said = PersonErased(person_id=identity(n), requested_by=identity(8), confirmed_by=None)
    await log.append(proposed(said, f"person/{identity(n)}"))


async def test_a_flood_of_one_cause_is_one_group_of_few_bodies_and_all_are_counted(log: Log) -> None:
    flood = [garbage(b"\xff%d" % n) for n in range(3 * KEPT)]
    await record(log, *flood[:5])
    await record(log, *flood[5:])
    await record(log, flood[0], flood[0])
    (group,) = await groups(log)
    assert (group.letters, group.bodies, group.times) == (KEPT, KEPT, 3 * KEPT + 2)
    assert {letter.body for letter in await kept(log)} == {letter.body for letter in flood[:KEPT]}
    assert {letter.whole for letter in await kept(log)} == {True}


async def test_each_cause_is_a_group_of_its_own(log: Log) -> None:
    await record(
        log, garbage(b"x"), garbage(b"{}"), garbage(b'{"id": 1, "sequence": 2}'), garbage(b"x", "leaf"),
        garbage(b"y", queue="evaluation.inbox.demo"), a_reaction(1), a_reaction(1, "KeyError"),
    )  # fmt: skip
    assert [group.letters for group in await groups(log)] == [1] * 7


async def test_what_is_not_ours_in_a_body_makes_no_group_of_its_own(log: Log) -> None:
    await record(log, *(garbage(b'{"id": 1, "%d": 2}' % n) for n in range(9)))
    assert [group.letters for group in await groups(log)] == [9]


async def test_a_long_body_is_cut_off_and_says_so(log: Log) -> None:
    await record(log, garbage(b"x" * (LARGEST + 1)))
    (letter,) = await kept(log)
    assert (len(letter.body or b""), letter.size, letter.whole) == (LARGEST, LARGEST + 1, False)


async def test_every_cause_of_a_reaction_has_a_letter_however_many_there_are(log: Log) -> None:
    causes = range(1, 2 * KEPT)
    await record(log, *(a_reaction(n) for n in causes))
    await record(log, a_reaction(1))
    (group,) = await groups(log)
    assert (group.letters, group.bodies, group.times) == (len(causes), 0, len(causes) + 1)


async def test_a_settled_letter_keeps_no_body_and_the_next_like_it_is_a_new_one(log: Log) -> None:
    await record(log, garbage(MARKER.encode()))
    (letter,) = await kept(log)
    assert MARKER.encode() in await bodies(log)
    assert await settle(log, letter) == 1
    assert await settle(log, letter) == 0
    assert (await groups(log), await bodies(log)) == ([], b"")
    await record(log, garbage(b"again"))
    assert [group.settled for group in await groups(log, settled_too=True)].count(None) == 1
    (shown,) = await log.database.read(partial(dead_letters.show, prefix=str(letter.id)))
    assert (shown.settled_how, shown.settled_why, shown.size) == ("discarded", "seen to", len(MARKER.encode()))


async def test_whoever_is_erased_is_gone_from_the_letters_too_and_from_the_file(log: Log) -> None:
    await record(log, garbage(naming(1)), garbage(naming(2)), garbage(naming(1).replace(b"-", b"").upper()))
    await erase(log, 1)
    assert identity(1).encode() not in await bodies(log)
    assert (await bodies(log)) == naming(2)
    (group,) = [group for group in await groups(log) if group.bodies]
    assert group.bodies == 1
    await erase(log, 2)
    assert await bodies(log) == b""
    url = make_url(log.url)
    if url.get_backend_name() == "sqlite":
        files = Path(url.database or "").parent.glob(f"{Path(url.database or '').name}*")
        assert [file for file in files if MARKER.encode() in file.read_bytes()] == []


async def test_a_letter_that_comes_after_the_erasure_is_counted_without_its_body(log: Log) -> None:
    await erase(log, 1)
    await record(log, garbage(naming(1)), garbage(naming(2)))
    assert await bodies(log) == naming(2)
    (group,) = await groups(log)
    assert (group.letters, group.bodies, group.times) == (2, 1, 2)


async def test_a_restored_table_of_letters_undoes_no_erasure(log: Log) -> None:
    await record(log, garbage(b"other"))
    await erase(log, 1)
    await log.database.write(lambda c: c.execute(dead_letter.update().values(body=naming(1))))
    await log.database.write(erase_again)
    assert await bodies(log) == b""
