"""Listens to the engine's events, so that only what changed is inspected. Stops by itself when nobody asks any more."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from console.reading import SourceError
from console.sources.docker.stream import Body

IDLE_S = 15.0
"""So long after the last question events and stats are still read."""
FILTERS = json.dumps(
    {
        "type": ["container"],
        # Everything but exec_*: health checks make three of those a time.
        "event": [
            *("create", "start", "die", "oom", "health_status", "update", "rename", "destroy", "pause", "unpause", "restart"),
        ],
    }
)
_LONGEST_EVENT_BYTES = 256 * 1024


class Events:
    """`stream` opens the engine's event stream, `on_change` is told the id of each container that an event names."""

    def __init__(self, stream: Callable[[], AbstractAsyncContextManager[Body]], on_change: Callable[[str], None]) -> None:
        self._stream = stream
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._limit: asyncio.Timeout | None = None

    def listen(self) -> None:
        """Begin to listen, or go on for another while. After a break the next question begins anew."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="docker events")
        elif self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + IDLE_S)

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _listen(self) -> None:
        # A break is no failure of ours to report: the list call meets the same engine, and it says what is wrong.
        try:
            with contextlib.suppress(SourceError, TimeoutError, ValueError):
                async with asyncio.timeout(IDLE_S) as self._limit, self._stream() as body:
                    await self._read(body)
        finally:
            self._limit = None

    async def _read(self, body: Body) -> None:
        rest = b""
        async for piece in body.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            rest = rest[:_LONGEST_EVENT_BYTES]
            for line in whole:
                self._take(line)

    def _take(self, line: bytes) -> None:
        event = json.loads(line) if line.strip() else None
        actor = event.get("Actor") if isinstance(event, dict) else None
        if isinstance(actor, dict) and actor.get("ID"):
            self._on_change(str(actor["ID"]))
