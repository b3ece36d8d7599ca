"""What arrives while something else is done is taken together, in order, and not without bound."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from avow.bus.gathering import Gathering, ended

PATIENCE = 5.0


async def stream(*chunks: list[bytes], error: Exception | None = None) -> AsyncGenerator[list[bytes], None]:
    for chunk in chunks:
        yield chunk
    if error is not None:
        raise error


async def test_what_came_meanwhile_is_taken_together_and_then_the_end() -> None:
    gathering = Gathering(stream([b"1", b"2"], [b"3"]), most=10)
    await asyncio.sleep(0.01)
    assert await gathering.take(PATIENCE) == [b"1", b"2", b"3"]
    assert await gathering.take(PATIENCE) is None
    assert await gathering.take(PATIENCE) is None
    await gathering.close()


async def test_an_error_comes_after_the_last_line() -> None:
    gathering = Gathering(stream([b"1"], error=ConnectionError()), most=10)
    await asyncio.sleep(0.01)
    assert await gathering.take(PATIENCE) == [b"1"]
    with pytest.raises(ConnectionError):
        await gathering.take(PATIENCE)
    await gathering.close()


async def test_no_more_is_read_than_was_asked_for_until_it_is_taken() -> None:
    read: list[int] = []

    async def numbers() -> AsyncGenerator[list[bytes], None]:
        for n in range(10):
            read.append(n)
            yield [b"%d" % n]

    gathering = Gathering(numbers(), most=3)
    taken: list[bytes] = []
    for reached in (3, 6, 9, 10):
        await asyncio.sleep(0.01)
        assert len(read) == reached
        taken += await gathering.take(PATIENCE) or []
    assert taken == [b"%d" % n for n in range(10)]
    assert await gathering.take(PATIENCE) is None
    await gathering.close()


async def test_a_silent_stream_is_waited_for_as_long_as_asked_and_closed_at_once() -> None:
    closed: list[bool] = []

    async def silent() -> AsyncGenerator[list[bytes], None]:
        try:
            await asyncio.Event().wait()
            yield []
        finally:
            closed.append(True)

    gathering = Gathering(silent(), most=3)
    assert await gathering.take(0.01) == []
    assert await gathering.take(0.0) == []
    await gathering.close()
    assert closed == [True]


async def test_a_task_that_misses_its_cancellation_is_asked_again() -> None:
    missed = 0

    async def run() -> None:
        nonlocal missed
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if missed:
                    raise
                missed += 1

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await ended(task)
    assert (missed, task.cancelled()) == (1, True)


async def test_what_a_task_ended_with_is_nobodys_concern() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await ended(task)
    assert task.done()
