"""What stands around a simulated stack in the network: names, foreign sites, certificates, mail servers, SNMP devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NXDOMAIN = "NXDOMAIN"
SERVFAIL = "SERVFAIL"
TIMEOUT = "TIMEOUT"

Resolved = Sequence[str] | str
"""Addresses, or a resolver's code."""


@dataclass(slots=True)
class Site:
    """A foreign web server, below one URL. `down`: why nothing answers (refused, timeout, unreachable), empty when it does."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/html; charset=utf-8"})
    body: str = "<!doctype html><title>OK</title>"
    latency_s: float = 0.04
    down: str = ""


@dataclass(slots=True)
class MailServer:
    """An SMTP server. `users`: who may log in, with which password; `senders`: which addresses it takes, empty: any."""

    starttls: bool = True
    users: dict[str, str] = field(default_factory=dict)
    senders: set[str] = field(default_factory=set)
    down: str = ""


@dataclass(slots=True)
class Device:
    """An SNMP device: which versions it speaks, to which community (for 3: to which user)."""

    versions: set[str] = field(default_factory=lambda: {"1", "2c"})
    community: str = "public"
    description: str = "RouterOS RB5009 7.16"
    down: str = ""


@dataclass(slots=True)
class NetworkAround:
    """`names`: what the machine's own resolver says; a name that stands nowhere is unknown to it. `other_names`: what the second
    resolver says where that differs. `certificates` and `authorities` are DER; a chain has the leaf first. `blocked`:
    `host:port` to which packets are dropped."""

    names: dict[str, Resolved] = field(default_factory=dict)
    other_names: dict[str, Resolved] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    """By URL; one that ends in `/` answers for all below it that have none of their own, unless it is the root."""
    certificates: dict[str, list[bytes]] = field(default_factory=dict)
    authorities: list[bytes] = field(default_factory=list)
    mail: dict[str, MailServer] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    dropped_headers: set[str] = field(default_factory=set)
    """Headers (in lower case) that something before the service takes out of every request, as a proxy does with `upgrade`."""
    own_names: set[str] = field(default_factory=set)
    """Names under which clients from outside reach this machine: its packet filter sees them."""
    slow_resolver_s: float = 0.0

    def look_up(self, name: str, *, other: bool = False) -> Resolved:
        """What a resolver says: addresses or a code."""
        if other and name in self.other_names:
            return self.other_names[name]
        return self.names.get(name, NXDOMAIN)

    def server_at(self, host: str, port: int) -> "Site | MailServer | None":
        """The foreign server behind an address."""
        for scheme, usual in (("https", 443), ("http", 80)):
            root = f"{scheme}://{host}{'' if port == usual else f':{port}'}/"
            found = [prefix for prefix in self.sites if prefix.startswith(root)]
            if found:
                return self.sites[min(found, key=len)]
        return self.mail.get(f"{host}:{port}")

    def site(self, url: str) -> Site | None:
        """The site at a URL; None where its server has no such page."""
        bare = url.partition("?")[0]
        found = [
            item for item in self.sites if bare == item or (item.count("/") > 3 and item.endswith("/") and bare.startswith(item))
        ]
        return self.sites[max(found, key=len)] if found else None
