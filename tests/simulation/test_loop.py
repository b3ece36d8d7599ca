"""Time in the simulation passes only where somebody waits for it, and the seed decides who goes first."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from avow.eventlog.signal import Signal
from tests.simulation.loop import Stuck, VirtualLoop


def run(work: Callable[[], Awaitable[object]], seed: int = 1) -> object:
    """What a coroutine gives on a virtual loop."""
    loop = VirtualLoop(Random(seed))
    try:
        return loop.run_until_complete(_as_coroutine(work))
    finally:
        loop.close()


async def _as_coroutine(work: Callable[[], Awaitable[object]]) -> object:
    return await work()


async def _now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_passes_at_once_and_to_the_second() -> None:
    async def work() -> float:
        await asyncio.sleep(3600)
        return await _now()

    assert run(work) == 3600


def test_a_timeout_ends_what_takes_longer_and_nothing_else() -> None:
    async def work() -> list[float]:
        times = []
        for at_most in (1.0, 5.0):
            try:
                async with asyncio.timeout(at_most):
                    await asyncio.sleep(2)
            except TimeoutError:
                pass
            times.append(await _now())
        return times

    assert run(work) == [1.0, 3.0]


@pytest.mark.parametrize("seed", range(5))
def test_a_signal_wakes_at_the_raise_or_by_its_own_patience(seed: int) -> None:
    async def work() -> list[float]:
        signal, loop = Signal(), asyncio.get_running_loop()
        loop.call_later(2, signal.raise_)
        times = []
        for _ in range(2):
            await signal.wait(10)
            times.append(loop.time())
        return times

    assert run(work, seed) == [2.0, 12.0]


def test_the_seed_decides_who_goes_first() -> None:
    async def work() -> tuple[int, ...]:
        order: list[int] = []

        async def come(n: int) -> None:
            order.append(n)

        await asyncio.gather(*(come(n) for n in range(8)))
        return tuple(order)

    orders = [run(work, seed) for seed in (*range(10), *range(10))]
    assert orders[:10] == orders[10:]
    assert len(set(orders)) > 5


def test_waiting_for_what_cannot_come_is_stuck() -> None:
    with pytest.raises(Stuck):
        run(asyncio.Event().wait)


def test_running_in_circles_is_stuck() -> None:
    async def work() -> None:
        while True:  # noqa: ASYNC110 - that is the point
            await asyncio.sleep(0)

    with pytest.raises(Stuck):
        run(work)


def test_there_are_no_threads() -> None:
    async def work() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(RuntimeError, match="no threads"):
        run(work)
