"""A clock that the test turns."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

NOON = 1_795_694_400.0


class Clock:
    """Stands still until it is told how many seconds have passed."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds

    async def pause(self, seconds: float) -> None:
        """What `System.pause` is on a stack that lives by this clock: no real time passes."""
        self.passes(seconds)


class SharedClock(Clock):
    """For several tasks that live by one clock: time passes only when all of them pause, to where the first one goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._living = 1
        self._pausing: list[tuple[float, asyncio.Future[None]]] = []

    async def pause(self, seconds: float) -> None:
        until, gone_on = self.now + seconds, asyncio.get_running_loop().create_future()
        self._pausing.append((until, gone_on))
        self._go_on()
        try:
            await gone_on
        finally:
            self._pausing = [item for item in self._pausing if item[1] is not gone_on]

    async def lives(self, task: Coroutine[Any, Any, T]) -> T:
        """Let one more task live by this clock while it runs."""
        self._living += 1
        try:
            return await task
        finally:
            self._living -= 1
            self._go_on()

    def _go_on(self) -> None:
        waiting = [item for item in self._pausing if not item[1].done()]
        if waiting and len(waiting) >= self._living:
            self.now = max(self.now, min(until for until, _ in waiting))
            for until, gone_on in waiting:
                if until <= self.now:
                    gone_on.set_result(None)
