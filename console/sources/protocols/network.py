"""What a client on this machine sees of the network: HTTP, TLS, names, mail servers and SNMP devices.

Each question is one attempt with its own time limit. An answer that says "no" is an answer; no answer is told in `reason`,
so that a tree can tell a refused port from a name that does not resolve. Only a question that could not be put at all
(a library that is missing, an address that is none) is a SourceError.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

NO_ANSWER = ("", "refused", "timeout", "unresolved", "unreachable", "tls", "lost", "other")
"""Why there was no answer; empty when there was one."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to one request, without following redirects. `body`: at most 64 KiB, cleaned line by line."""

    url: str
    status: int | None
    """None: there was no answer, `reason` says why and `message` how the system put it."""
    elapsed_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case, values clean."""
    body: str = ""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One X.509 certificate. Times are Unix seconds; texts are clean."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """DNS names and addresses of the subject's alternative names, or the common name when there are none."""
    not_before: float
    not_after: float
    self_signed: bool


@dataclass(frozen=True, slots=True)
class TlsAnswer:
    """What a TLS server showed. `chain`: as it was sent, the leaf first; empty when there was no handshake."""

    chain: tuple[Certificate, ...]
    trusted: bool | None
    """Whether the chain leads to an authority that this machine trusts; None when that could not be tried."""
    name_matches: bool | None
    reason: str = ""
    message: str = ""
    """Why it is not trusted, or why there was no handshake."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Addresses of a name by one resolver (`server` empty: the system's own). `reason`: `` | nxdomain | no_answer | timeout |
    refused | other."""

    name: str
    server: str
    addresses: tuple[str, ...]
    elapsed_s: float
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class SmtpAnswer:
    """How far a mail server let us in, without sending anything. None: that stage was not reached or not asked for."""

    connected: bool
    starttls: bool | None = None
    """The server offers STARTTLS (or the port is TLS from the start) and the handshake worked."""
    login_accepted: bool | None = None
    sender_accepted: bool | None = None
    """The reply to MAIL FROM with the configured sender, taken back with RSET."""
    reason: str = ""
    message: str = ""
    """The server's last words."""


@dataclass(frozen=True, slots=True)
class SnmpAnswer:
    """One SNMP GET of sysDescr. `reason`: `` | timeout | refused | unresolved | unreachable | auth | other.

    Versions 1 and 2c stay silent for a wrong community, so that a timeout may mean either.
    """

    version: str
    answered: bool
    description: str = ""
    reason: str = ""
    message: str = ""


class Network(Protocol):
    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def http(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        timeout_s: float = 4.0,
    ) -> HttpAnswer:
        """One request; `json` is sent as the body. Certificates are verified."""
        ...

    async def handshake(self, url: str, *, origin: str = "", token: str = "", timeout_s: float = 4.0) -> HttpAnswer:
        """Ask a ws:// or wss:// URL for a WebSocket and hang up: 101 is yes."""
        ...

    async def tls(self, host: str, port: int, *, server_name: str = "", timeout_s: float = 4.0) -> TlsAnswer: ...
    async def resolve(self, name: str, *, server: str = "", timeout_s: float = 2.0) -> Resolution: ...
    async def tcp(self, host: str, port: int, *, timeout_s: float = 2.0) -> str:
        """Why a TCP connection did not come about: one of NO_ANSWER, empty when it did."""
        ...

    async def smtp(
        self, host: str, port: int, *, user: str = "", password: str = "", sender: str = "", timeout_s: float = 5.0
    ) -> SmtpAnswer: ...
    async def snmp(self, host: str, *, version: str, community: str, port: int = 161, timeout_s: float = 2.0) -> SnmpAnswer:
        """`version`: 1, 2c or 3 (without authentication, `community` as the user)."""
        ...
