"""HTTP/1.1 to the engine over an asyncio stream, for answers that never end: logs, events, stats, output of commands.

The docker package would need a thread for each and cannot end some of them (research: its generators cannot be closed from
outside). Here a stream is a task's: cancelling it closes the socket, a slow reader makes the engine wait, nothing is lost.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from console.sources.docker.address import Address
from console.sources.docker.errors import explain, from_status, garbage, lost, timed_out

ANSWER_S = 2.5
PIECE_BYTES = 32 * 1024
"""So much is taken at once: two or three hundred log lines, a few milliseconds of work between two keys."""
_MAX_HEAD = 64 * 1024
_MAX_ERROR = 64 * 1024


class Body:
    """What follows the head of an answer, as it arrives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str], at: str) -> None:
        self._reader = reader
        self._writer = writer
        self._at = at
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length", "")
        self._left = int(length) if length.isdigit() and not self._chunked else None

    def abort(self) -> None:
        """Close the connection now; whoever reads is told that it is lost."""
        self._writer.transport.abort()

    async def pieces(self) -> AsyncIterator[bytes]:
        """All bytes, as many at once as are there. Raises LOST when the engine breaks off in the middle."""
        try:
            if self._chunked:
                async for piece in self._dechunked():
                    yield piece
            else:
                async for piece in self._plain():
                    yield piece
        except OSError as error:
            raise explain(error, self._at) from None

    async def _plain(self) -> AsyncIterator[bytes]:
        while self._left is None or self._left > 0:
            piece = await self._reader.read(PIECE_BYTES)
            if not piece:
                if self._left is not None:
                    raise lost(self._at)
                return
            if self._left is not None:
                self._left -= len(piece)
            yield piece

    async def _dechunked(self) -> AsyncIterator[bytes]:
        chunks = Chunks()
        while not chunks.ended:
            piece = await self._reader.read(PIECE_BYTES)
            if not piece:
                raise lost(self._at)
            try:
                content = chunks.feed(piece)
            except ValueError as error:
                raise garbage(self._at, str(error)) from None
            if content:
                yield content


class Chunks:
    """Takes the content out of HTTP chunks (RFC 9112 §7.1). The engine makes one of every log line, so many come at once."""

    def __init__(self) -> None:
        self.ended = False
        self._buffer = b""
        self._left = 0
        """Bytes of the current chunk that are still to come, with the line end behind it."""

    def feed(self, piece: bytes) -> bytes:
        """The content of all chunks as far as it is there. Raises ValueError for what are no chunks."""
        buffer = self._buffer + piece if self._buffer else piece
        at, size, found = 0, len(buffer), []
        while at < size and not self.ended:
            if self._left:
                # The line end behind the content belongs to the chunk, not to the content; it may be cut in two.
                content = buffer[at : at + max(0, self._left - 2)]
                end = min(at + self._left, size)
                self._left -= end - at
                at = end
                found.append(content)
                continue
            end = buffer.find(b"\r\n", at, at + 1024)
            if end < 0:
                if size - at >= 1024:
                    raise ValueError("a stream has no chunk sizes")
                break
            try:
                length = int(buffer[at:end].partition(b";")[0], 16)
            except ValueError:
                raise ValueError("a chunk of a stream has no size") from None
            at = end + 2
            self.ended = length == 0
            self._left = length + 2
        self._buffer = buffer[at:]
        return b"".join(found)


@asynccontextmanager
async def request(
    address: Address,
    method: str,
    path: str,
    query: Mapping[str, str | int] | None = None,
    *,
    version: str,
    body: Any = None,
    answer_s: float | None = ANSWER_S,
    subject: str = "",
) -> AsyncIterator[Body]:
    """Ask, wait `answer_s` for the head of the answer (None: for ever), and give its body. Closed on leaving.

    Raises SourceError for what cannot be reached, for a status of 400 and above, and for what is no HTTP.
    """
    at = address.shown
    writer: asyncio.StreamWriter | None = None
    try:
        try:
            async with asyncio.timeout(answer_s):
                reader, writer = await address.dial()
                payload = b"" if body is None else json.dumps(body).encode()
                target = f"/v{version}{path}" + (f"?{urlencode(query)}" if query else "")
                head = (
                    f"{method} {target} HTTP/1.1\r\nHost: docker\r\nUser-Agent: triage\r\nContent-Length: {len(payload)}\r\n"
                    f"{'Content-Type: application/json' + chr(13) + chr(10) if payload else ''}\r\n"
                )
                writer.write(head.encode("latin-1") + payload)
                await writer.drain()
                status, headers = await _head(reader, at)
                answer = Body(reader, writer, headers, at)
                if status >= 400:
                    raise from_status(status, await _error_text(answer), at, subject)
        except TimeoutError:
            raise timed_out(at, answer_s) from None
        except (OSError, EOFError) as error:
            raise explain(error, at, answer_s, subject) from None
        yield answer
    finally:
        if writer is not None:
            writer.transport.abort()


async def _head(reader: asyncio.StreamReader, at: str) -> tuple[int, dict[str, str]]:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial and not error.partial.startswith(b"HTTP/"):
            raise garbage(at, "the answer is no HTTP") from None
        raise lost(at) from None
    except asyncio.LimitOverrunError:
        raise garbage(at, "the head of the answer does not end") from None
    lines = raw[:_MAX_HEAD].decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
        raise garbage(at, "the answer is no HTTP")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return int(words[1]), headers


async def _error_text(body: Body) -> str:
    text = b""
    async for piece in body.pieces():
        text += piece
        if len(text) > _MAX_ERROR:
            break
    return text.decode("utf-8", "replace")
