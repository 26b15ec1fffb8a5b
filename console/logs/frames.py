"""The engine's raw log bytes, asked for with time stamps, → whole lines.

A container without a terminal is sent in frames: a byte that names the stream, three zeros, four bytes of length (Engine API,
`POST /containers/{id}/attach`, "Stream format"); with a terminal the bytes come as they are. In both, every message begins
with its time. What a network or the engine does to them is undone here: frames cut anywhere, several lines in one, and lines
over 16 KiB, which the engine splits into parts that each carry a time of their own (moby `daemon/logger/copier.go`).
"""

import re
from datetime import datetime
from struct import Struct

from console.sources.protocols.engine import LogLine, Stream
from console.text import clean

PART_BYTES = 16 * 1024
"""The engine's longest message; a longer line arrives in parts of this size."""
LONGEST_LINE_BYTES = 2 * 1024 * 1024
"""So much of one line is kept until its end is seen; what is beyond is dropped."""
_LONGEST_FRAME_BYTES = 64 * 1024 * 1024

_HEADER = Struct(">BxxxL")
_HEADER_BYTES = 8
_STREAMS = (Stream.STDOUT, Stream.STDOUT, Stream.STDERR, Stream.STDERR)
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?")


class LineAssembler:
    """Feeds on a container's log bytes and yields its lines, both streams in the order in which the engine has them.

    `container` is the name that the lines carry, `tty` whether the container has a terminal (then all is stdout).
    """

    def __init__(self, container: str, *, tty: bool = False) -> None:
        self._container = container
        self._tty = tty
        self._rest = b""
        self._open: dict[Stream, _OpenLine] = {}
        self._second = b""
        self._second_at = 0.0
        self._last_at = 0.0

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that these bytes complete. Raises ValueError for bytes that are no log frames."""
        return self._feed_terminal(data) if self._tty else self._feed_frames(data)

    def finish(self) -> list[LogLine]:
        """The lines that never got an end: the log ended in the middle of them."""
        lines = self._feed_terminal(b"\n") if self._tty and self._rest else []
        for stream in list(self._open):
            lines.append(self._close(stream, b""))
        return lines

    def _feed_frames(self, data: bytes) -> list[LogLine]:
        buffer = self._rest + data if self._rest else data
        lines: list[LogLine] = []
        at, size = 0, len(buffer)
        unpack = _HEADER.unpack_from
        while size - at >= _HEADER_BYTES:
            kind, length = unpack(buffer, at)
            if kind > 3 or length > _LONGEST_FRAME_BYTES:
                raise ValueError("the log is not sent in frames")
            start = at + _HEADER_BYTES
            at_next = start + length
            if at_next > size:
                break
            at = at_next
            stream = _STREAMS[kind]
            end = buffer.find(b"\n", start, at) if length else -1
            if end == at - 1 and stream not in self._open:
                lines.append(self._line(stream, buffer[start:end]))
            elif length:
                self._take(stream, buffer[start:at], lines)
        self._rest = buffer[at:]
        return lines

    def _feed_terminal(self, data: bytes) -> list[LogLine]:
        buffer = self._rest + data if self._rest else data
        *whole, rest = buffer.split(b"\n")
        self._rest = rest[:LONGEST_LINE_BYTES]
        return [self._line(Stream.STDOUT, _without_inner_stamps(line.removesuffix(b"\r"))) for line in whole]

    def _take(self, stream: Stream, payload: bytes, lines: list[LogLine]) -> None:
        """A frame that is not exactly one line: parts of a long one, or several."""
        while payload:
            text, end, payload = payload.partition(b"\n")
            if end:
                lines.append(self._close(stream, text) if stream in self._open else self._line(stream, text))
            elif stream in self._open:
                self._open[stream].add(_unstamped(text))
            else:
                at, text = self._stamp(text)
                self._open[stream] = _OpenLine(at, text)

    def _close(self, stream: Stream, last: bytes) -> LogLine:
        line = self._open.pop(stream)
        line.add(_unstamped(last))
        return LogLine(self._container, stream, line.at, clean(b"".join(line.parts)))

    def _line(self, stream: Stream, raw: bytes) -> LogLine:
        at, text = self._stamp(raw)
        return LogLine(self._container, stream, at, clean(text))

    def _stamp(self, raw: bytes) -> tuple[float, bytes]:
        """A message's time and text. One without a time has that of the message before."""
        # The engine's usual form has a fixed width, and a thousand lines share their second.
        if raw[29:31] == b"Z " and raw[20:29].isdigit():
            second = raw[:19]
            if second != self._second:
                try:
                    self._second_at = datetime.fromisoformat(f"{second.decode('ascii')}+00:00").timestamp()
                except ValueError:
                    return self._last_at, raw
                self._second = second
            self._last_at = self._second_at + int(raw[20:29]) / 1e9
            return self._last_at, raw[31:]
        found = _STAMP.match(raw)
        if found is None:
            return self._last_at, raw
        try:
            self._last_at = datetime.fromisoformat(found.group(1).decode("ascii")).timestamp()
        except ValueError:
            return self._last_at, raw
        return self._last_at, raw[found.end() :]


class _OpenLine:
    """A line whose end has not come yet."""

    __slots__ = ("_size", "at", "parts")

    def __init__(self, at: float, first: bytes) -> None:
        self.at = at
        self.parts = [first]
        self._size = len(first)

    def add(self, part: bytes) -> None:
        part = part[: LONGEST_LINE_BYTES - self._size]
        self._size += len(part)
        self.parts.append(part)


def _unstamped(part: bytes) -> bytes:
    found = _STAMP.match(part)
    return part[found.end() :] if found else part


def _without_inner_stamps(line: bytes) -> bytes:
    """A terminal's long line: its parts follow each other without frames, so their times stand in the middle of the text."""
    if len(line) <= PART_BYTES:
        return line
    first = _STAMP.match(line)
    if first is None:
        return line
    at = first.end()
    parts = [line[:at]]
    while at < len(line):
        parts.append(line[at : at + PART_BYTES])
        at += PART_BYTES
        stamp = _STAMP.match(line, at)
        at = stamp.end() if stamp else at
    return b"".join(parts)
