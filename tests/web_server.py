"""A web server for tests that answers, refuses, freezes, drips or talks nonsense, as it is told."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

Respond = Callable[[str], "bytes | None"]
"""From the request's target to the raw answer; None: say nothing and keep the connection."""


def reply(body: str | bytes | object, status: int = 200, *headers: str) -> bytes:
    """A whole HTTP answer; what is not text becomes JSON."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(raw)}", *headers, "", ""]
    return "\r\n".join(head).encode() + raw


@dataclass
class WebServer:
    port: int = 0
    respond: Respond = field(default=lambda target: reply("ok"))
    drip_s: float = 0.0
    """Send one byte each so many seconds."""
    targets: list[str] = field(default_factory=list)
    """What was asked for, in order."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if line.startswith(b"\x16"):
                    writer.write(b"HTTP/1.1 400 This is no TLS port\r\n\r\n")
                    break
                while (await reader.readline()).strip():
                    pass
                target = line.split()[1].decode()
                self.targets.append(target)
                answer = self.respond(target)
                if answer is None:
                    await reader.read()
                    break
                if self.drip_s:
                    for index in range(len(answer)):
                        writer.write(answer[index : index + 1])
                        await writer.drain()
                        await asyncio.sleep(self.drip_s)
                writer.write(b"" if self.drip_s else answer)
                await writer.drain()
                if not answer.startswith(b"HTTP/1.1"):
                    break
        except (ConnectionError, asyncio.CancelledError, IndexError):
            pass
        finally:
            writer.close()
