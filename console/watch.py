"""Ask a source again and again, and never let it make anything wait.

The time limit stands outside the driver: some drivers ignore their own for minutes (research: psycopg returns up to five
seconds late from a cancelled query on a frozen server). A question that is out of time is cancelled and left behind; while
it still hangs, no second one is asked, so that a drowning server is never given more to do.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from console.reading import Failure, FailureKind, Reading, SourceError

T = TypeVar("T")

LONGEST_PAUSE_S = 4.0
"""The longest pause after failures: a source that is back is seen within five seconds."""


async def watch(
    ask: Callable[[], Awaitable[T]],
    *,
    every_s: float,
    timeout_s: float,
    name: str,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[Reading[T], None]:
    """Readings for ever: a good one each `every_s` seconds; after a failure pauses of 1, 2, 4 s, then 4 s.

    `name` is what messages call the source. A failed reading carries the last good value.
    """
    value: T | None = None
    taken_at: float | None = None
    failures = 0
    hanging: asyncio.Task[T] | None = None
    try:
        while True:
            started = time.monotonic()
            failure: Failure | None
            if hanging is not None and not hanging.done():
                await asyncio.wait({hanging}, timeout=timeout_s)
            if hanging is not None and not hanging.done():
                failure = _timed_out(name, timeout_s)
            else:
                hanging, answer, failure = await _ask(ask, timeout_s, name)
                if failure is None:
                    value, taken_at = answer, clock()
            failures = failures + 1 if failure else 0
            yield Reading(clock(), time.monotonic() - started, value, taken_at, failure)
            pause = min(2.0 ** (failures - 1), LONGEST_PAUSE_S) if failures else every_s
            await asyncio.sleep(max(0.0, pause - (time.monotonic() - started) if failures == 0 else pause))
    finally:
        if hanging is not None:
            hanging.cancel()


async def once(
    ask: Callable[[], Awaitable[T]], *, timeout_s: float, name: str, clock: Callable[[], float] = time.time
) -> Reading[T]:
    """One question under the same limit as `watch`."""
    started = time.monotonic()
    _, value, failure = await _ask(ask, timeout_s, name)
    return Reading(clock(), time.monotonic() - started, value, None if failure else clock(), failure)


async def _ask(
    ask: Callable[[], Awaitable[T]], timeout_s: float, name: str
) -> tuple[asyncio.Task[T] | None, T | None, Failure | None]:
    """The answer or the failure; the task too when it is out of time and would not end."""
    task = asyncio.ensure_future(_call(ask))
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        task.cancel()
        task.add_done_callback(_forget)
        await asyncio.sleep(0)
        return (None if task.done() else task), None, _timed_out(name, timeout_s)
    try:
        return None, task.result(), None
    except SourceError as error:
        return None, None, error.failure
    except asyncio.CancelledError:
        return None, None, Failure(FailureKind.LOST, f"The question to {name} was cancelled.")
    except Exception as error:
        # A defect of ours or of a driver must grey one pane, not end the program in the middle of an incident.
        message = f"{name} failed in an unexpected way: {type(error).__name__}."
        return None, None, Failure(FailureKind.GARBAGE, message, "Please report this; `triage doctor` may tell more.")


async def _call(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _forget(task: "asyncio.Task[T]") -> None:
    """Fetch the late result, so that nobody is told of an exception that was never looked at."""
    if not task.cancelled():
        task.exception()


def _timed_out(name: str, timeout_s: float) -> Failure:
    message = f"{name} has not answered for {timeout_s:g} s."
    return Failure(FailureKind.TIMEOUT, message, "It may be frozen or overloaded; asking goes on.")
