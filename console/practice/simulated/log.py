"""What a simulated container writes, and the bytes in which an engine hands it out."""

import functools
import struct
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.sources.protocols.engine import Stream

KEPT_LINES = 12_000
_STREAM_CODE = {Stream.STDOUT: 1, Stream.STDERR: 2}


@dataclass(frozen=True, slots=True)
class Written:
    """One line as the program wrote it. `number` counts the lines of the container from its creation on."""

    number: int
    at: float
    stream: Stream
    text: str


class Log:
    """The engine's log of one container: the newest lines of both streams, over all its starts."""

    def __init__(self) -> None:
        self._lines: deque[Written] = deque(maxlen=KEPT_LINES)
        self._next = 0

    def out(self, at: float, text: str) -> None:
        """Write a line to standard output."""
        self._write(at, Stream.STDOUT, text)

    def err(self, at: float, *lines: str) -> None:
        """Write lines to standard error."""
        for line in lines:
            self._write(at, Stream.STDERR, line)

    def after(self, number: int) -> list[Written]:
        """The lines after the line of that number (-1: all that are kept)."""
        missing = self._next - 1 - number
        return list(self._lines)[-missing:] if missing > 0 else []

    def tail(self, lines: int, since: float | None) -> list[Written]:
        """The last lines, oldest first, none older than `since` (Unix seconds)."""
        kept = list(self._lines)[-lines:] if lines > 0 else []
        return kept if since is None else [line for line in kept if line.at >= since]

    @property
    def last_number(self) -> int:
        """The number of the newest line, -1 when there is none."""
        return self._next - 1

    def _write(self, at: float, stream: Stream, text: str) -> None:
        self._lines.append(Written(self._next, at, stream, text))
        self._next += 1


def frames(lines: Iterable[Written]) -> bytes:
    """Lines as GET /containers/{id}/logs?timestamps=1 sends them: an 8-byte header (stream, length), time stamp, text."""
    parts = []
    for line in lines:
        payload = f"{rfc3339(line.at)} {line.text}\n".encode()
        parts.append(struct.pack(">BxxxI", _STREAM_CODE[line.stream], len(payload)) + payload)
    return b"".join(parts)


def rfc3339(at: float) -> str:
    """Unix seconds as the engine prints them, to the nanosecond's digit."""
    seconds, fraction = divmod(round(at * 1_000_000), 1_000_000)
    return f"{_to_the_second(seconds).replace(' ', 'T')}.{fraction:06d}000Z"


def stamp(at: float, separator: str = ",") -> str:
    """Unix seconds as Python's logging (`,`) and PostgreSQL (`.`) print them, in UTC, to the millisecond."""
    seconds, milliseconds = divmod(int(at * 1000), 1000)
    return f"{_to_the_second(seconds)}{separator}{milliseconds:03d}"


@functools.lru_cache(maxsize=16)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def traceback(frames_of_code: Sequence[tuple[str, int, str, str]], error: str) -> tuple[str, ...]:
    """The lines of a Python traceback: (file, line, function, source line) for each frame, then the error."""
    lines = ["Traceback (most recent call last):"]
    for file, number, function, source in frames_of_code:
        lines += [f'  File "{file}", line {number}, in {function}', f"    {source}"]
    return (*lines, error)
