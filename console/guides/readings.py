"""What one walk has read. Steps that need the same reading share one question; an old answer is asked for again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from console.sources.protocols.database import Accepts, Activity
from console.sources.protocols.engine import Containers, LogLine
from console.system import System

T = TypeVar("T")

MAX_AGE_S = 2.0
"""A person may take minutes between two steps: by then a container has stopped. Older answers are asked for again."""


class Readings:
    """The sources of a system as one walk, or several that run together, ask them."""

    def __init__(self, system: System, *, wall: Callable[[], float] | None = None) -> None:
        self.system = system
        self.wall = wall or system.clock
        self._asked: dict[object, tuple[float, asyncio.Task[Any]]] = {}

    async def share(self, key: object, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to the question `key`, asked once for all who want it at this time. Raises what the source raises.

        Who gives up waiting does not cancel it for the others; `close` does.
        """
        asked, task = self._asked.get(key, (0.0, None))
        if task is None or (task.done() and time.monotonic() - asked > MAX_AGE_S):
            task = asyncio.ensure_future(_call(ask))
            task.add_done_callback(_look)
            self._asked[key] = (time.monotonic(), task)
        return cast(T, await asyncio.shield(task))

    async def containers(self) -> Containers:
        """The containers of the system; NOT_CONFIGURED without an engine."""
        return await self.share("containers", self.system.need_engine().containers)

    async def accepts(self) -> Accepts:
        return await self.share("accepts", self.system.need_database().accepts)

    async def activity(self) -> Activity:
        return await self.share("activity", self.system.need_database().activity)

    async def log_tail(self, container: str, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        engine = self.system.need_engine()
        return await self.share(("log", container, lines, since), lambda: engine.log_tail(container, lines=lines, since=since))

    async def role_log(self, role: str, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        """The last lines of a role's log, of its container or of its service's file on the machine."""
        config = self.system.config
        if role in config.roles or role not in config.log_files:
            return await self.log_tail(self.system.container(role), lines, since)
        path = config.log_files[role]
        host = self.system.host
        # The same command whatever the time: steps that look back differently share it.
        last = await self.share(("log", path, role, lines), lambda: host.log_tail(path, name=role, lines=lines))
        return tuple(line for line in last if since is None or line.at >= since)

    def close(self) -> None:
        """Let go of questions that still hang."""
        for _, task in self._asked.values():
            task.cancel()
        self._asked.clear()


async def _call(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _look(task: "asyncio.Task[Any]") -> None:
    """An answer that nobody waits for any more must not be reported as an exception that was never looked at."""
    if not task.cancelled():
        task.exception()
