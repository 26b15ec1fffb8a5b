"""The live network. Each question opens its own connection and leaves none behind; a library comes with the first need."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from console.sources.http_client import HttpClient
from console.sources.network import certificates, http, reach
from console.sources.network.answers import shown_url, why
from console.sources.protocols.network import HttpAnswer, Resolution, SmtpAnswer, SnmpAnswer, TlsAnswer


class LiveNetwork:
    """Asks from this machine. `authorities`: files with authorities that it trusts besides those of the machine."""

    def __init__(self, authorities: tuple[str, ...] = ()) -> None:
        self._authorities = authorities
        self._client = HttpClient(lambda: http.build_client(authorities))

    async def open(self) -> None:
        """Nothing is imported before the first question."""

    async def aclose(self) -> None:
        await self._client.aclose()

    async def http(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        timeout_s: float = 4.0,
    ) -> HttpAnswer:
        client = await self._client.ready()
        return await http.ask(client, method, url, headers=headers or {}, json=json, timeout_s=timeout_s)

    async def handshake(self, url: str, *, origin: str = "", token: str = "", timeout_s: float = 4.0) -> HttpAnswer:
        wanted = http.upgrade_headers(origin, token)
        client = await self._client.ready()
        answer = await http.ask(client, "GET", http.as_http(url), headers=wanted, json=None, timeout_s=timeout_s)
        return replace(answer, url=shown_url(url))

    async def tls(self, host: str, port: int, *, server_name: str = "", timeout_s: float = 4.0) -> TlsAnswer:
        return await certificates.show(host, port, server_name, self._authorities, timeout_s)

    async def resolve(self, name: str, *, server: str = "", timeout_s: float = 2.0) -> Resolution:
        return await reach.resolve(name, server, timeout_s)

    async def tcp(self, host: str, port: int, *, timeout_s: float = 2.0) -> str:
        try:
            async with asyncio.timeout(timeout_s):
                (await reach.connected(host, port)).close()
        except (OSError, UnicodeError, OverflowError) as error:
            return why(error)[0]
        return ""

    async def smtp(
        self, host: str, port: int, *, user: str = "", password: str = "", sender: str = "", timeout_s: float = 5.0
    ) -> SmtpAnswer:
        from console.sources.network.mail import Talk

        return await Talk(user, password, sender).hold(host, port, self._authorities, timeout_s)

    async def snmp(self, host: str, *, version: str, community: str, port: int = 161, timeout_s: float = 2.0) -> SnmpAnswer:
        from console.sources.network.snmp import get_description

        return await get_description(host, version, community, port, timeout_s)
