"""`watch` asks again and again, and a hanging source never makes anything wait."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from console.reading import FailureKind, Reading, SourceError
from console.watch import once, watch


async def take(count: int, ask: Callable[[], Awaitable[int]], timeout_s: float = 0.05) -> list[Reading[int]]:
    readings: list[Reading[int]] = []
    async for reading in watch(ask, every_s=0.001, timeout_s=timeout_s, name="it", clock=lambda: 100.0):
        readings.append(reading)
        if len(readings) == count:
            break
    return readings


async def test_good_answers_follow_each_other() -> None:
    answers = iter(range(10))

    async def ask() -> int:
        return next(answers)

    assert [reading.value for reading in await take(3, ask)] == [0, 1, 2]


async def test_a_failure_keeps_the_last_value_beside_it() -> None:
    answers = iter([1])

    async def ask() -> int:
        try:
            return next(answers)
        except StopIteration:
            raise SourceError(FailureKind.REFUSED, "it refused", "start it") from None

    good, bad = await take(2, ask)
    assert good.fresh
    assert (bad.value, bad.taken_at, bad.fresh) == (1, 100.0, False)
    assert bad.failure is not None
    assert bad.failure.kind is FailureKind.REFUSED


async def test_a_question_that_ignores_its_cancellation_is_left_behind_and_not_asked_twice() -> None:
    asked = 0
    release = asyncio.Event()

    async def ask() -> int:
        nonlocal asked
        asked += 1
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return 5

    started = time.monotonic()
    watching = watch(ask, every_s=0.001, timeout_s=0.05, name="it")
    first = await anext(watching)
    assert first.failure is not None
    assert first.failure.kind is FailureKind.TIMEOUT
    assert time.monotonic() - started < 1
    second = await anext(watching)
    assert second.failure is not None
    assert asked == 1
    release.set()
    third = await anext(watching)
    assert third.value == 5
    assert asked == 2


async def test_an_unexpected_error_is_a_failure_not_a_crash() -> None:
    async def ask() -> int:
        raise ZeroDivisionError

    (reading,) = await take(1, ask)
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.GARBAGE
    assert "ZeroDivisionError" in reading.failure.message


async def test_once_is_bounded_too() -> None:
    async def ask() -> int:
        await asyncio.sleep(60)
        return 1

    reading = await once(ask, timeout_s=0.05, name="it")
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TIMEOUT


async def test_leaving_the_loop_leaves_no_task() -> None:
    async def ask() -> int:
        await asyncio.sleep(60)
        return 1

    async with contextlib.aclosing(watch(ask, every_s=1, timeout_s=0.05, name="it")) as watching:
        await anext(watching)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
