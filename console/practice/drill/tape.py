"""A recorded round that plays again: its frames, its own clock with pause and speed, and the moments to go to."""

import asyncio
import json
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.logs.follower import LogBatch
from console.practice.drill.recording import LOGS, read_shown
from console.practice.drill.rounds import FRAMES, Round
from console.reading import Reading

SPEEDS: Final = (1, 2, 4, 8, 16, 32, 64)
LOOK_AGAIN_S = 0.1
PAST_LINES = 2_000
"""Log lines from before the place that replay goes on from."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one pane was shown at a time, Unix seconds."""

    at: float
    feed: str
    shown: Reading[Any] | LogBatch


class Tape:
    """All frames of a round in their order. `left_out`: lines that the recording does not hold."""

    def __init__(self, frames: Sequence[Frame], left_out: int = 0) -> None:
        self.frames = sorted(frames, key=lambda frame: frame.at)
        self.left_out = left_out
        self._by_feed: dict[str, list[Frame]] = {}
        for frame in self.frames:
            self._by_feed.setdefault(frame.feed, []).append(frame)
        self._times = {feed: [frame.at for frame in found] for feed, found in self._by_feed.items()}

    @property
    def begins_at(self) -> float:
        return self.frames[0].at if self.frames else 0.0

    @property
    def ends_at(self) -> float:
        return self.frames[-1].at if self.frames else 0.0

    def shown_at(self, feed: str, at: float) -> Frame | None:
        """What a pane showed then; None before its first frame."""
        place = bisect_right(self._times.get(feed, []), at)
        return self._by_feed[feed][place - 1] if place else None

    def batches(self, after: float, until: float) -> list[LogBatch]:
        """The batches of log lines of a span of time, the end included."""
        times = self._times.get(LOGS, [])
        found = self._by_feed.get(LOGS, [])[bisect_right(times, after) : bisect_right(times, until)]
        return [frame.shown for frame in found if isinstance(frame.shown, LogBatch)]

    def past(self, until: float) -> LogBatch:
        """The last lines up to a time, as one batch."""
        before = self.batches(float("-inf"), until)
        lines = [line for batch in before for line in batch.lines]
        last = before[-1] if before else LogBatch(())
        return LogBatch(lines[-PAST_LINES:], last.failures, last.followed, last.taken_at)


def read_tape(round_: Round) -> Tape:
    """The recording of a round; empty when there is none. Lines that are cut short or strange are left out. Raises OSError."""
    frames: list[Frame] = []
    left_out = 0
    try:
        file = (round_.folder / FRAMES).open("rb")
    except FileNotFoundError:
        return Tape(())
    with file:
        for line in file:
            try:
                entry = json.loads(line)
                frames.append(Frame(float(entry["at"]), str(entry["feed"]), read_shown(entry)))
                left_out += int(entry.get("left_out", 0))
            except (ValueError, KeyError, TypeError):
                continue
    return Tape(frames, left_out)


class Player:
    """Plays a tape: `clock` is where it stands, Unix seconds of the round. `elapsed` counts real seconds."""

    def __init__(self, tape: Tape, *, speed: int = 1, elapsed: Callable[[], float] = time.monotonic) -> None:
        self.tape = tape
        self.speed = min(SPEEDS, key=lambda known: abs(known - speed))
        self.paused = False
        self._elapsed = elapsed
        self._place = tape.begins_at
        self._since = elapsed()

    def clock(self) -> float:
        """Where the tape stands now; it stops at its end."""
        moved = 0.0 if self.paused else (self._elapsed() - self._since) * self.speed
        return min(self._place + moved, self.tape.ends_at)

    @property
    def at_end(self) -> bool:
        return self.clock() >= self.tape.ends_at

    def go_to(self, at: float) -> None:
        """Play on from there."""
        self._place = min(max(at, self.tape.begins_at), self.tape.ends_at)
        self._since = self._elapsed()

    def pause(self) -> None:
        """Stand still, or play on."""
        self.go_to(self.clock())
        self.paused = not self.paused

    def faster(self, by: int) -> None:
        """So many steps faster, or slower."""
        self.go_to(self.clock())
        self.speed = SPEEDS[min(max(0, SPEEDS.index(self.speed) + by), len(SPEEDS) - 1)]

    async def readings(self, feed: str) -> AsyncIterator[Reading[Any]]:
        """What a pane was shown, each as its time comes; a reading that was passed over at high speed is left out."""
        last: Frame | None = None
        while True:
            frame = self.tape.shown_at(feed, self.clock())
            if frame is not None and frame is not last and isinstance(frame.shown, Reading):
                last = frame
                yield frame.shown
            await asyncio.sleep(LOOK_AGAIN_S)

    async def batches(self) -> AsyncIterator[LogBatch]:
        """What the log pane was given: first all that was there before this place, then each batch as its time comes."""
        at = self.clock()
        yield self.tape.past(at)
        while True:
            now = self.clock()
            for batch in self.tape.batches(at, now):
                yield batch
            at = now
            await asyncio.sleep(LOOK_AGAIN_S)
