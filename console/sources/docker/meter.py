"""What running containers use, from one stats stream each, all read by the event loop.

Asking without a stream costs a second a container on an engine of version 20.10 (measured), a thread each costs memory and
waking. The engine sends a sample a second; one in two or three is parsed, the rest is thrown away unread.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from console.reading import SourceError
from console.sources.docker.answers import usage
from console.sources.docker.events import IDLE_S
from console.sources.docker.stream import Body
from console.sources.protocols.engine import Usage

PARSE_EVERY_S = 2.0
FRESH_S = 5.0
"""Older figures are not shown: the engine sends new ones each second, so something is wrong."""
_LONGEST_SAMPLE_BYTES = 256 * 1024


@dataclass(slots=True)
class _Reader:
    task: asyncio.Task[None] | None = None
    limit: asyncio.Timeout | None = None
    before: Mapping[str, Any] | None = None
    usage: Usage | None = None
    failure: SourceError | None = None


class Meter:
    """`stream` opens the stats stream of a container id. Nothing is read before `want`, nor long after the last one."""

    def __init__(
        self, stream: Callable[[str], AbstractAsyncContextManager[Body]], clock: Callable[[], float] = time.time
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._readers: dict[str, _Reader] = {}
        self._renewed = asyncio.Condition()

    def want(self, running: Collection[str]) -> Mapping[str, Usage]:
        """Read these containers and no others from now on; what is known of them, by id."""
        for container_id in self._readers.keys() - set(running):
            self._drop(container_id)
        for container_id in running:
            self._read_on(container_id)
        return self._fresh()

    async def sample(self, container_id: str) -> Usage:
        """What one container uses, as soon as there are two samples. Raises what its stream fails with."""
        reader = self._read_on(container_id)
        async with self._renewed:
            while True:
                found = self._fresh().get(container_id)
                if found is not None and found.cpu_percent is not None:
                    return found
                if reader.failure is not None:
                    raise reader.failure
                await self._renewed.wait()

    async def aclose(self) -> None:
        tasks = {reader.task for reader in self._readers.values() if reader.task is not None}
        for container_id in list(self._readers):
            self._drop(container_id)
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)

    def _fresh(self) -> dict[str, Usage]:
        oldest = self._clock() - FRESH_S
        return {
            container_id: reader.usage
            for container_id, reader in self._readers.items()
            if reader.usage is not None and reader.usage.taken_at >= oldest
        }

    def _read_on(self, container_id: str) -> _Reader:
        reader = self._readers.get(container_id)
        if reader is None or reader.task is None or reader.task.done():
            reader = self._readers[container_id] = _Reader()
            reader.task = asyncio.create_task(self._read(container_id, reader), name=f"docker stats {container_id[:12]}")
        elif reader.limit is not None and not reader.limit.expired():
            reader.limit.reschedule(asyncio.get_running_loop().time() + IDLE_S)
        return reader

    def _drop(self, container_id: str) -> None:
        reader = self._readers.pop(container_id)
        if reader.task is not None:
            reader.task.cancel()

    async def _read(self, container_id: str, reader: _Reader) -> None:
        try:
            # Out of time: nobody asks any more. Broken: the next list call begins anew, and says what is wrong.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S) as reader.limit, self._stream(container_id) as body:
                    await self._samples(body, reader)
        except SourceError as error:
            reader.failure = error
            async with self._renewed:
                self._renewed.notify_all()
        finally:
            reader.limit = None

    async def _samples(self, body: Body, reader: _Reader) -> None:
        loop = asyncio.get_running_loop()
        rest, due_at = b"", 0.0
        async for piece in body.pieces():
            if loop.time() < due_at and piece.endswith(b"\n"):
                rest = b""
                continue
            lines = (rest + piece).rsplit(b"\n", 2)
            rest = lines[-1][:_LONGEST_SAMPLE_BYTES]
            if len(lines) == 1 or loop.time() < due_at:
                continue
            due_at = loop.time() + (PARSE_EVERY_S if reader.before is not None else 0.0)
            await self._take(lines[-2], reader)

    async def _take(self, line: bytes, reader: _Reader) -> None:
        try:
            sample = json.loads(line)
            reader.usage = usage(reader.before, sample, self._clock())
        except (ValueError, KeyError, TypeError, AttributeError):
            # The line was cut where an unparsed one was thrown away, or is none of ours: the next comes in a second.
            return
        reader.before = sample if reader.usage is not None else None
        async with self._renewed:
            self._renewed.notify_all()
