"""The connection is cut at the commit: the outcome is found by the events' ids, or said to be unknown (I1).

Covers "commit outcome unknown" of the fault table: with the statement that is its own commit, and with the transaction.
"""

import pytest

from avow.eventlog.batch import OutcomeUnknown
from tests.faults.conftest import HASTY
from tests.kit.crowd import Caller, ask, ask_again, hold_to_account, units
from tests.kit.logs import Log, a_log, a_unit, proposed
from tests.kit.proxy import Proxy

MARK = "此处断开"


async def cut_short(far: Log, wire: Proxy, swapped: bool, heard: bool, callers: int) -> list[Caller]:
    """Callers whose batch meets the cut: in one statement, or in a transaction, as when nothing is remembered."""
    if swapped:
        for n in range(901, 904):
            await far.append(proposed(a_unit(n), f"unit/{n}"))
        wire.cut(MARK.encode(), heard)
    else:
        wire.cut(b"COMMIT;", heard)
    marked = [proposed(a_unit(n, MARK), f"unit/{n}") for n in range(1, callers + 1)]
    answers = await ask(far, marked)
    assert wire.cuts == 1
    return answers


@pytest.mark.parametrize("callers", [1, 5])
@pytest.mark.parametrize("heard", [True, False], ids=["took effect", "took no effect"])
@pytest.mark.parametrize("swapped", [True, False], ids=["one statement", "transaction"])
async def test_whoever_was_cut_off_is_answered_with_the_outcome(
    far: Log, wire: Proxy, swapped: bool, heard: bool, callers: int
) -> None:
    before = (await far.head()).position + 3 * swapped
    answered = await cut_short(far, wire, swapped, heard, callers)
    await hold_to_account(far, answered)
    assert [type(caller.answer).__name__ for caller in answered] == ["Appended"] * callers
    assert (await far.head()).position == before + callers


@pytest.mark.parametrize("heard", [True, False], ids=["took effect", "took no effect"])
@pytest.mark.parametrize("swapped", [True, False], ids=["one statement", "transaction"])
async def test_while_the_database_is_gone_the_outcome_is_unknown_and_asking_again_gives_one_event(
    far: Log, wire: Proxy, postgres_url: str, swapped: bool, heard: bool
) -> None:
    marked = [proposed(a_unit(n, MARK), f"unit/{n}") for n in (1, 2, 3)]
    if swapped:
        for item in units(901, 903):
            await far.append(item)
    wire.cut(MARK.encode() if swapped else b"COMMIT;", heard, then="reset")
    answered = await ask(far, marked)
    assert [type(caller.answer) for caller in answered] == [OutcomeUnknown] * 3
    async with a_log(postgres_url, patience=HASTY) as near:
        await hold_to_account(near, answered)
        assert (await near.head()).position == 1 + 3 * swapped + 3 * heard
        wire.mode = "ok"
        again = await ask_again(far, answered)
        await hold_to_account(near, again)
        assert [type(caller.answer).__name__ for caller in again] == ["Appended"] * 3
        assert (await near.head()).position == 4 + 3 * swapped


async def test_a_connection_known_to_be_dead_costs_nobody_an_error(far: Log, wire: Proxy) -> None:
    for item in units(1, 3):
        await far.append(item)
    wire.reset()
    answered = await ask(far, units(4, 6))
    await hold_to_account(far, answered)
    assert [type(caller.answer).__name__ for caller in answered] == ["Appended"] * 3
