"""Follows the logs of several containers at once, and goes on where it was when a container or the engine comes back."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from console.reading import Failure, FailureKind, SourceError
from console.sources.protocols.engine import LogLine, LogSource, Stream

FIRST_TAIL = 200
"""Lines of the past that a container's log begins with."""
RESUMED_TAIL = 20_000
"""Lines at most that are fetched after an interruption."""
BATCH_S = 0.25
"""Time between two batches: four times a second is as often as anybody reads."""
LONGEST_PAUSE_S = 4.0
MAX_WAITING = 20_000
"""Lines that wait for the next batch; past them the readers pause, and the engine with them."""
QUIET_S = 1.5
"""So long a stream may be silent at its start before it counts as open."""
_OVERLAP_S = 0.002
"""Engine times lose nanoseconds in a float: so much is read twice when resuming, and what was seen is left out."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines since the batch before, merged by time, and what stands in the way of which container."""

    lines: Sequence[LogLine]
    failures: Mapping[str, Failure] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()
    taken_at: float = 0.0


@dataclass(slots=True)
class _Place:
    """Where the reading of one log has got to."""

    last_at: float | None = None
    recent: deque[tuple[float, Stream, str]] = field(default_factory=lambda: deque(maxlen=5_000))

    def unseen(self, lines: Iterable[LogLine], resumed: dict[tuple[float, Stream, str], int]) -> list[LogLine]:
        fresh = []
        for line in lines:
            key = (line.at, line.stream, line.text)
            if resumed.get(key):
                resumed[key] -= 1
                continue
            fresh.append(line)
            if self.last_at is None or line.at > self.last_at:
                self.last_at = line.at
            self.recent.append(key)
        return fresh

    def overlap(self) -> dict[tuple[float, Stream, str], int]:
        """The lines that the engine will give again, counted."""
        counts: dict[tuple[float, Stream, str], int] = {}
        for key in self.recent:
            if self.last_at is not None and key[0] >= self.last_at - 2 * _OVERLAP_S:
                counts[key] = counts.get(key, 0) + 1
        return counts


class Follower:
    """One reader a container. `names` are the containers to begin with; `choose` changes them while it runs."""

    def __init__(self, engine: LogSource, names: Iterable[str] = (), clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._names = frozenset(names)
        self._clock = clock
        self._places: dict[str, _Place] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, Failure] = {}
        self._waiting: list[LogLine] = []
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._running = False

    def choose(self, names: Iterable[str]) -> None:
        """Follow these containers from now on; one that was followed before goes on where it was."""
        chosen = frozenset(names)
        if chosen != self._names:
            self._names = chosen
            self._changed.set()
            if self._running:
                self._arrange()

    async def batches(self) -> AsyncIterator[LogBatch]:
        """What was written, at most four times a second, and at once when a failure comes or goes. Ends when closed."""
        self._running = True
        self._arrange()
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                lines, self._waiting = self._waiting, []
                self._room.set()
                lines.sort(key=_time_of)
                yield LogBatch(lines, dict(self._failures), self._names, self._clock())
                if lines:  # What holds no line was not dear, and the first lines of a container must not wait behind it.
                    await asyncio.sleep(BATCH_S)
        finally:
            self._running = False
            readers = list(self._readers.values())
            self._readers.clear()
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    def _arrange(self) -> None:
        for name in self._readers.keys() - self._names:
            self._readers.pop(name).cancel()
            self._failures.pop(name, None)
        for name in sorted(self._names - self._readers.keys()):
            self._readers[name] = asyncio.create_task(self._read(name), name=f"log {name}")

    async def _read(self, name: str) -> None:
        place = self._places.setdefault(name, _Place())
        pause_s = 1.0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._follow(name, place)
            except SourceError as error:
                self._note(name, error.failure)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                # A defect in one reader must not end the logs of the others.
                message = f"Reading the log of {name} failed in an unexpected way: {type(error).__name__}."
                self._note(name, Failure(FailureKind.GARBAGE, message, "It is tried again."))
            if asyncio.get_running_loop().time() - began > 2 * LONGEST_PAUSE_S:
                pause_s = 1.0
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _follow(self, name: str, place: _Place) -> None:
        resumed = place.overlap()
        since = None if place.last_at is None else place.last_at - _OVERLAP_S
        tail = FIRST_TAIL if since is None else RESUMED_TAIL
        stream = aiter(self._engine.follow(name, tail=tail, since=since))
        arriving = asyncio.ensure_future(_next(stream))
        try:
            # A stream that stays open without a word is a good one too.
            if not (await asyncio.wait({arriving}, timeout=QUIET_S))[0]:
                self._note(name, None)
            while (lines := await arriving) is not None:
                self._note(name, None)
                arriving = asyncio.ensure_future(_next(stream))
                fresh = place.unseen(lines, resumed)
                if not fresh:
                    continue
                await self._room.wait()
                self._waiting.extend(fresh)
                if len(self._waiting) >= MAX_WAITING:
                    self._room.clear()
                self._changed.set()
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        self._note(name, None)

    def _note(self, name: str, failure: Failure | None) -> None:
        if self._failures.get(name) == failure:
            return
        if failure is None:
            self._failures.pop(name, None)
        else:
            self._failures[name] = failure
        self._changed.set()


async def _next(stream: AsyncIterator[Sequence[LogLine]]) -> Sequence[LogLine] | None:
    """The next batch; None at the end, for an exception that ends an iteration cannot leave a task."""
    return await anext(stream, None)


def _time_of(line: LogLine) -> float:
    return line.at
