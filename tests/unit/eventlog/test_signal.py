"""A signal wakes whoever waits, loses none that came since one looked, and never keeps anybody for ever."""

import asyncio

from avow.eventlog.signal import Signal


async def test_everybody_who_waits_is_woken() -> None:
    signal = Signal()
    waiting = [asyncio.create_task(signal.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    signal.raise_()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def test_a_raise_before_the_wait_is_over() -> None:
    signal = Signal()
    signal.raise_()
    waiting = asyncio.create_task(signal.wait(60))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    signal.raise_()
    await asyncio.wait_for(waiting, 5)


async def test_a_raise_since_one_looked_is_not_lost() -> None:
    signal = Signal()
    seen = signal.raised
    signal.raise_()
    await asyncio.wait_for(signal.wait(60, seen), 5)


async def test_patience_ends() -> None:
    await asyncio.wait_for(Signal().wait(0.01), 5)
