"""What a client on the simulated machine sees of the service and of the network, through the parsers of the live source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from console.practice.simulated.network import TIMEOUT
from console.practice.simulated.web import Request, Response, serve
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError
from console.sources.network import answers
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.network import HttpAnswer, Resolution, SmtpAnswer, SnmpAnswer, TlsAnswer

DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
SNMP_PORT = 161
"""Of which the rules of a packet filter speak, whatever port leads to a device of the lab."""
REFUSED = "nothing listens there."
RESOLVED_S = 0.012
PASSED_ON = ("/api/", "/health", "/ws/")
"""What a frontend passes on to the backend."""


class NoAnswer(Exception):
    """Nothing came back: a reason of NO_ANSWER, and the words."""

    def __init__(self, reason: str, message: str, elapsed_s: float = 0.001) -> None:
        self.reason, self.message, self.elapsed_s = reason, message, elapsed_s
        super().__init__(message)


class SimulatedNetwork:
    """Implements `console.sources.protocols.network.Network` on a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def http(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        timeout_s: float = 4.0,
    ) -> HttpAnswer:
        await self._world.settle()
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        return self._ask(url, Request(method, urlsplit(url).path or "/", sent, json or {}), timeout_s)

    async def handshake(self, url: str, *, origin: str = "", token: str = "", timeout_s: float = 4.0) -> HttpAnswer:
        await self._world.settle()
        headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhl"}
        headers |= {"origin": origin} if origin else {}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        return self._ask(url, Request("GET", urlsplit(url).path or "/", headers), timeout_s)

    async def tls(self, host: str, port: int, *, server_name: str = "", timeout_s: float = 4.0) -> TlsAnswer:
        await self._world.settle()
        try:
            self._reach(host, port, timeout_s)
            chain = self._chain(host, port)
        except NoAnswer as failed:
            return answers.tls_silence(failed.reason, failed.message)
        trusted, message = answers.trust(chain, self._authorities(), self._now())
        return answers.tls_answer(chain, name=server_name or host, trusted=trusted, message=message)

    async def resolve(self, name: str, *, server: str = "", timeout_s: float = 2.0) -> Resolution:
        await self._world.settle()
        if _is_address(name) or name == "localhost":
            return answers.resolution(name, server, ("127.0.0.1" if name == "localhost" else name,), 0.0)
        around = self._world.network
        elapsed_s = RESOLVED_S + (0.0 if server else around.slow_resolver_s)
        found = around.look_up(name, other=bool(server)) if elapsed_s < timeout_s else TIMEOUT
        if isinstance(found, str):
            return answers.unresolved(name, server, found, timeout_s if found == TIMEOUT else elapsed_s)
        return answers.resolution(name, server, found, elapsed_s)

    async def tcp(self, host: str, port: int, *, timeout_s: float = 2.0) -> str:
        await self._world.settle()
        try:
            self._reach(host, port, timeout_s)
        except NoAnswer as failed:
            return failed.reason
        return ""

    async def smtp(
        self, host: str, port: int, *, user: str = "", password: str = "", sender: str = "", timeout_s: float = 5.0
    ) -> SmtpAnswer:
        await self._world.settle()
        try:
            self._reach(host, port, timeout_s)
        except NoAnswer as failed:
            return answers.smtp_answer((), starttls=False, ended=(failed.reason, failed.message))
        server = self._world.network.mail[f"{host}:{port}"]
        replies = [("connect", 220, f"{host} ESMTP Postfix"), ("ehlo", 250, "PIPELINING SIZE STARTTLS AUTH PLAIN LOGIN")]
        if user:
            known = server.users.get(user) == password
            replies.append(
                ("auth", 235, "2.7.0 Authentication successful") if known else ("auth", 535, "5.7.8 Error: authentication failed")
            )
        if sender and replies[-1][1] < 400:
            taken = not server.senders or sender in server.senders
            rejected = f"5.7.1 <{sender}>: Sender address rejected: not owned by user {user}"
            replies.append(("mail", 250, "2.1.0 Ok") if taken else ("mail", 553, rejected))
        return answers.smtp_answer(replies, starttls=server.starttls)

    async def snmp(self, host: str, *, version: str, community: str, port: int = 161, timeout_s: float = 2.0) -> SnmpAnswer:
        await self._world.settle()
        try:
            self._address(host)
        except NoAnswer as failed:
            return answers.snmp_silence(version, failed.reason, failed.message)
        device = self._world.network.devices.get(host)
        closed = f"{host}:{port}" in self._world.network.blocked or not self._world.machine.firewall.lets_in(SNMP_PORT, "udp")
        if device is None or closed:
            return answers.snmp_silence(version, "timeout", f"No answer within {timeout_s:g} s.")
        if device.down:
            return answers.snmp_silence(version, device.down, f"SNMP on {host}: {device.down}.")
        if version == "3" and version in device.versions and community != device.community:
            return answers.snmp_silence(version, "auth", "Unknown user name")
        if version not in device.versions or community != device.community:
            return answers.snmp_silence(version, "timeout", f"No answer within {timeout_s:g} s.")
        return answers.snmp_answer(version, device.description.encode())

    # The way there ----------------------------------------------------------------------------------------------------

    def _ask(self, url: str, request: Request, timeout_s: float) -> HttpAnswer:
        try:
            response = self._fetched(url, request, timeout_s)
        except NoAnswer as failed:
            return answers.http_silence(url, failed.reason, failed.message, failed.elapsed_s)
        headers = {"date": self._date(), **response.headers}
        return answers.http_answer(url, response.status, headers.items(), response.body, response.elapsed_s)

    def _fetched(self, url: str, request: Request, timeout_s: float) -> Response:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
        self._reach(host, port, timeout_s)
        if parts.scheme in ("https", "wss") and f"{host}:{port}" in self._world.network.certificates:
            chain = self._chain(host, port)
            trusted, message = answers.trust(chain, self._authorities(), self._now())
            shown = answers.certificate(chain[0])
            if not trusted or message or not answers.holds_name(shown.names, host):
                raise NoAnswer("tls", f"certificate verify failed: {message or 'hostname mismatch'}")
        role = self._role_at(port) if self._is_own(host) else ""
        if not role or self._world.network.site(url) is not None:
            return self._site(url, timeout_s)
        return self._service(role, request, timeout_s)

    def _service(self, role: str, request: Request, timeout_s: float) -> Response:
        world, dropped = self._world, self._world.network.dropped_headers
        if role == "frontend" and not request.path.startswith(PASSED_ON):
            return Response(200, b"<!doctype html><div id=app></div>", {"content-type": "text/html"}, 0.006)
        if role not in ("proxy", "backend", "frontend"):
            return Response(404, b"Not Found", {"content-type": "text/plain"}, 0.003)
        if world.backend.frozen:
            raise NoAnswer("timeout", f"No answer within {timeout_s:g} s.", timeout_s)
        if dropped:
            request = replace(request, headers={name: value for name, value in request.headers.items() if name not in dropped})
        if role != "backend" and not (world.running("backend") and world.backend.serving):
            return Response(502, b"<h1>502 Bad Gateway</h1>", {"content-type": "text/html", "server": "nginx"}, 0.002)
        response = serve(world, request)
        if response.elapsed_s > timeout_s:
            raise NoAnswer("timeout", f"No answer within {timeout_s:g} s.", timeout_s)
        return response

    def _site(self, url: str, timeout_s: float) -> Response:
        site = self._world.network.site(url)
        if site is None:
            return Response(404, b"Not Found", {"content-type": "text/html"}, 0.03)
        if site.latency_s > timeout_s:
            raise NoAnswer("timeout", f"No answer within {timeout_s:g} s.", timeout_s)
        return Response(site.status, site.body.encode(), site.headers, site.latency_s)

    def _reach(self, host: str, port: int, timeout_s: float) -> None:
        """Raise `NoAnswer` when no connection comes about."""
        world, place = self._world, f"{host}:{port}"
        self._address(host)
        if place in world.network.blocked:
            raise NoAnswer("timeout", f"No answer within {timeout_s:g} s.", timeout_s)
        device = world.network.devices.get(host)
        if device is not None and device.down:
            raise NoAnswer(device.down, device.down, timeout_s if device.down == "timeout" else 0.02)
        if self._is_own(host):
            if world.machine.firewall.closes_own(port):
                raise NoAnswer("timeout", f"No answer within {timeout_s:g} s.", timeout_s)
            if not _is_local(host) and not world.machine.firewall.lets_in(port):
                raise NoAnswer("timeout", f"No answer within {timeout_s:g} s.", timeout_s)
            if self._role_at(port) or port in world.machine.listeners:
                return
            if self._has_part(port):
                raise NoAnswer("refused", "Connection refused")
        server = world.network.server_at(host, port)
        if server is None and place not in world.network.certificates:
            raise NoAnswer("refused", "Connection refused")
        if server is not None and server.down:
            raise NoAnswer(server.down, server.down, timeout_s if server.down == "timeout" else 0.02)

    def _has_part(self, port: int) -> bool:
        """Whether one of the stack's parts belongs on a port, running or not."""
        return any(item.host_port == port for item in self._world.containers.values()) or any(
            item.port == port for item in self._world.units.values()
        )

    def _role_at(self, port: int) -> str:
        """The role of the part that listens on a port of this machine; empty when none does."""
        world = self._world
        for role, unit in world.units.items():
            if unit.port == port and unit.running:
                return role if role != "backend" or world.backend.serving else ""
        if not world.machine.engine_up:
            return ""
        for container in world.containers.values():
            if container.host_port == port and container.running:
                if container.program is world.backend:
                    return "backend" if world.backend.listens_outside else ""
                return world.config.role_of(container.name) or "other"
        return ""

    def _address(self, host: str) -> None:
        if _is_local(host) or _is_address(host):
            return
        found = self._world.network.look_up(host)
        if isinstance(found, str):
            raise NoAnswer("unresolved", "Name or service not known", RESOLVED_S)

    def _is_own(self, host: str) -> bool:
        return _is_local(host) or host in self._world.network.own_names

    def _chain(self, host: str, port: int) -> Sequence[bytes]:
        chain = self._world.network.certificates.get(f"{host}:{port}")
        if not chain:
            raise NoAnswer("tls", "wrong version number")
        return chain

    def _authorities(self) -> Sequence[bytes]:
        from console.practice.simulated.certificates import authority

        return [authority(), *self._world.network.authorities]

    def _now(self) -> float:
        return self._world.now

    def _date(self) -> str:
        from email.utils import formatdate

        return formatdate(self._world.now + self._world.machine.clock_ahead_s, usegmt=True)


class SimulatedEndpoints:
    """Implements `console.sources.protocols.endpoint.Endpoints` on a world."""

    def __init__(self, world: World, endpoints: Mapping[str, str]) -> None:
        self._network = SimulatedNetwork(world)
        self._urls = dict(endpoints)

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def names(self) -> tuple[str, ...]:
        return tuple(self._urls)

    async def get(self, name: str) -> Answer:
        if name not in self._urls:
            message = f"No endpoint {name!r} is configured; there is {', '.join(self._urls) or 'none'}."
            raise SourceError(FailureKind.NOT_CONFIGURED, message, "Set it in the endpoints table of the system in config.toml.")
        url = self._urls[name]
        found = await self._network.http(url)
        if found.status is None:
            raise _silence(url, found.reason, found.message)
        return Answer(url, found.status, found.elapsed_s, found.headers, found.body)


def _silence(url: str, reason: str, message: str) -> SourceError:
    if reason == "refused":
        return SourceError(FailureKind.REFUSED, f"{url} refused the connection: {REFUSED}", "Is the service running?")
    if reason == "timeout":
        text = f"{url} has not answered within 4.0 s."
        return SourceError(FailureKind.TIMEOUT, text, "The service may be frozen or overloaded, or a firewall drops packets.")
    kind = FailureKind.MISSING if reason == "unresolved" else FailureKind.LOST
    return SourceError(kind, f"{url} gave no answer: {message}", "Check the address in config.toml.")


def _is_local(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
