"""How far a mail server lets us in. Nothing is sent: the sender is offered and taken back."""

import asyncio
import base64
import socket
from collections.abc import Awaitable
from dataclasses import replace
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING

from console.sources.network.answers import smtp_answer, why
from console.sources.network.certificates import context
from console.sources.network.reach import connected
from console.sources.protocols.network import SmtpAnswer
from console.text import Secrets

if TYPE_CHECKING:
    import aiosmtplib

TLS_PORT = 465
"""Speaks TLS from the first byte (RFC 8314); others begin plainly and offer STARTTLS."""


class Talk:
    """One talk: the replies so far, by stage, and why it ended early."""

    def __init__(self, user: str, password: str, sender: str) -> None:
        self.user, self.password, self.sender = user, password, sender
        self.replies: list[tuple[str, int, str]] = []
        self.encrypted = False

    async def hold(self, host: str, port: int, authorities: tuple[str, ...], timeout_s: float) -> SmtpAnswer:
        ended = ("", "")
        try:
            async with asyncio.timeout(timeout_s):
                await self._talk(host, port, authorities)
        except Exception as error:
            if not isinstance(error, (OSError, ValueError)) and not type(error).__module__.startswith("aiosmtplib"):
                raise
            if not hasattr(error, "code"):  # a reply that says no is no early end
                ended = why(error)
        answer = smtp_answer(self.replies, starttls=self.encrypted, ended=ended)
        return replace(answer, message=self._hidden(answer.message))

    async def _talk(self, host: str, port: int, authorities: tuple[str, ...]) -> None:
        await asyncio.to_thread(import_module, "aiosmtplib")
        import aiosmtplib

        judge = await asyncio.to_thread(context, authorities)
        opened = await connected(host, port)
        client = aiosmtplib.SMTP(
            hostname=host,
            sock=opened,
            local_hostname="localhost",
            use_tls=port == TLS_PORT,
            start_tls=False,
            tls_context=judge,
            timeout=None,
        )
        transport: asyncio.BaseTransport | None = None
        try:
            await self._stage("connect", client.connect())
            transport = client.transport
            self.encrypted = port == TLS_PORT
            await self._stage("ehlo", client.ehlo())
            if not self.encrypted and client.supports_extension("starttls"):
                await client.starttls()
                self.encrypted = True
                await client.ehlo()
            await self._let_in(client, opened)
        finally:
            # The socket is its transport's by now: closed under one that still says goodbye in TLS, its number would go to
            # another connection, which the event loop then refuses.
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            client.close()

    async def _let_in(self, client: "aiosmtplib.SMTP", opened: socket.socket) -> None:
        """Log in, offer the sender. A password goes over an unprotected connection only within a private network."""
        if self.user and (self.encrypted or _is_private(opened)):
            await self._stage("auth", client.login(self.user, self.password))
        if self.sender:
            await self._stage("mail", client.mail(self.sender))
            await client.rset()

    async def _stage(self, stage: str, question: "Awaitable[aiosmtplib.SMTPResponse]") -> None:
        import aiosmtplib

        try:
            code, text = await question
        except aiosmtplib.SMTPResponseException as error:
            self.replies.append((stage, error.code, error.message))
            raise
        self.replies.append((stage, code, text))

    def _hidden(self, text: str) -> str:
        """A server may repeat what it was sent, encoded as it came."""
        secrets = Secrets()
        for form in (self.password, f"\0{self.user}\0{self.password}"):
            secrets.add(form)
            secrets.add(base64.b64encode(form.encode()).decode().rstrip("="))
        return secrets.hide(text) if self.password else text


def _is_private(opened: socket.socket) -> bool:
    try:
        return ip_address(opened.getpeername()[0]).is_private
    except (OSError, ValueError):
        return False
