"""An engine on a unix socket that says what a test wants it to say, and can freeze, die or talk nonsense."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from struct import pack
from typing import Any
from urllib.parse import urlsplit

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

RECORDED = json.loads((Path(__file__).parent / "recorded" / "containers_20_10.json").read_text(encoding="utf-8"))
STATS = json.loads((Path(__file__).parent / "recorded" / "stats_20_10.json").read_text(encoding="utf-8"))


class FakeEngine:
    """`answers` maps a path without its version to what is answered: JSON, (status, JSON), or a handler of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.host = f"unix://{socket}"
        self.frozen = False
        self.asked: list[str] = []
        self.open_connections = 0
        self.answers: dict[str, Any] = {
            "/version": {"ApiVersion": "1.41", "MinAPIVersion": "1.12"},
            "/containers/json": [],
            "/events": silence,
        }
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def has(self, *names: str) -> None:
        """Let the engine have these recorded containers."""
        self.answers["/containers/json"] = [RECORDED[name]["listed"] for name in names]
        for name in names:
            inspected = RECORDED[name]["inspected"]
            for key in (name, inspected["Id"]):
                self.answers[f"/containers/{key}/json"] = inspected
            self.answers[f"/containers/{inspected['Id']}/stats"] = silence

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.socket)

    async def stop(self) -> None:
        """Die: nobody listens any more, and every connection breaks."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0)
        self.socket.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.open_connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
                await reader.readexactly(length)
                path = urlsplit(head.split(b" ")[1].decode()).path
                path = "/" + path.split("/", 2)[2] if path.startswith("/v1.") else path
                self.asked.append(path)
                if self.frozen:
                    await reader.read()
                    return
                await self._answer(path, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_connections -= 1
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.get(path, (404, {"message": f"No such container: {path}"}))
        if callable(answer):
            await answer(reader, writer)
            return
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        body = json.dumps(content).encode()
        writer.write(
            b"HTTP/1.1 %d Fake\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
        )
        await writer.drain()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A stream that stays open and says nothing."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await reader.read()


def stream(*chunks: bytes, ends: bool = True) -> Handler:
    """A stream of these chunks that then ends well, or breaks."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in chunks:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if ends:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        if not ends:
            writer.close()

    return handle


def raw(answer: bytes) -> Handler:
    """Bytes that need be no HTTP, then the end."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    return handle


def frame(kind: int, payload: bytes) -> bytes:
    return pack(">BxxxL", kind, len(payload)) + payload
