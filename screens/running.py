"""Runs the console on the operator's terminal, from an event loop of its own to the exit code."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from console.crash import report_crash
from console.system import System
from screens.app import TriageApp

if TYPE_CHECKING:
    from console.practice.drill.rounds import Round


def run_app(
    build: Callable[[], System],
    *,
    write: bool = False,
    told: Callable[[], Mapping[str, str]] = dict,
    round: "Round | None" = None,
    companion: Callable[[], Coroutine[Any, Any, object]] | None = None,
) -> int:
    """Show the console until the operator leaves; the exit code. `build` makes the system; nothing of it is open yet. `told`
    gives what the user of a practice stack would say, `round` is the drill that the console attends. `companion` runs beside the
    console in the same loop; at the end it is cancelled and awaited, however long it takes, and what it raises is raised."""
    return show(TriageApp(build(), write=write, told=told(), round=round), companion)


def show(app: TriageApp, companion: Callable[[], Coroutine[Any, Any, object]] | None = None) -> int:
    """Show an app until the operator leaves; the exit code. `companion` as in `run_app`."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(_unretrieved)
    beside = loop.create_task(companion()) if companion is not None else None
    try:
        try:
            loop.run_until_complete(app.run_async())
        finally:
            if beside is not None:
                loop.run_until_complete(_end(beside))
    finally:
        with contextlib.suppress(Exception):
            loop.run_until_complete(app.close_system())
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.wait(rest, timeout=0.5))
        asyncio.set_event_loop(None)
        with contextlib.suppress(RuntimeError):
            loop.close()
    return app.return_code or 0


async def _end(beside: "asyncio.Task[object]") -> None:
    """Let what ran beside the console end in its own time. A terminal that is closed meanwhile must not cut it short."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop.add_signal_handler(number, lambda: None)
    beside.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beside


def _unretrieved(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task that failed unseen: kept in a report, and off the terminal."""
    error = context.get("exception")
    if isinstance(error, Exception):
        report_crash(error)
