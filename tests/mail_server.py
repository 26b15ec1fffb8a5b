"""A mail server for tests: says what it is told to say, by command, and knows STARTTLS."""

import asyncio
import ssl
from dataclasses import dataclass, field


@dataclass
class MailServer:
    context: ssl.SSLContext | None = None
    """With it, STARTTLS is offered."""
    greeting: bytes | None = b"220 mail.test ESMTP\r\n"
    """None: say nothing, ever."""
    replies: dict[str, bytes] = field(default_factory=dict)
    """Answers by command that differ from the usual ones; an empty one hangs up."""
    port: int = 0
    heard: list[str] = field(default_factory=list)
    """Lines that came, in order."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.greeting is None:
                await reader.read()
                return
            writer.write(self.greeting)
            while line := await reader.readline():
                text = line.decode("utf-8", "replace").strip()
                self.heard.append(text)
                verb = text.partition(" ")[0].upper()
                answer = self.replies.get(verb, self._usual(verb))
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
                if verb == "STARTTLS" and answer.startswith(b"220") and self.context is not None:
                    await writer.start_tls(self.context)
                if verb == "QUIT":
                    break
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _usual(self, verb: str) -> bytes:
        if verb == "EHLO":
            tls = b"250-STARTTLS\r\n" if self.context is not None else b""
            return b"250-mail.test\r\n" + tls + b"250 AUTH PLAIN LOGIN\r\n"
        return {"STARTTLS": b"220 go on\r\n", "AUTH": b"235 welcome\r\n", "QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n")
