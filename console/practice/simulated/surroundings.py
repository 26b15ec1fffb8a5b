"""What the service meets outside its own process: folders that it writes to, foreign interfaces, the machine's packet filter."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from console.practice.simulated.machine import Machine
from console.practice.simulated.network import NetworkAround

PATIENCE_S = 5.0
"""How long the service waits for a foreign interface."""
FIRST_BYTE_S = 0.04


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`user`: as whom the service runs."""

    machine: Machine
    network: NetworkAround
    user: str = ""

    def cannot_write(self, folder: str) -> str:
        """Why the service cannot make a file in a folder, in the words of the C library; empty when it can."""
        entry = self.machine.files.get(folder)
        if entry is None:
            return "No such file or directory"
        bits = entry.mode >> (6 if entry.owner == self.user else 0)
        if bits & 0o3 != 0o3:
            return "Permission denied"
        disk = self.machine.disk_of(folder)[1]
        return "No space left on device" if not disk.free_bytes or disk.inodes_used >= disk.inodes_total else ""

    def call(self, url: str) -> tuple[str, float]:
        """Ask a foreign interface: what went wrong in the service's words (empty: nothing), and how long it took."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        lead = f"Failed to connect to {host}"
        if isinstance(self.network.look_up(host), str):
            return f"{lead}: [Errno -2] Name or service not known", 0.02
        if f"{host}:{port}" in self.network.blocked:
            return f"{lead}: timed out", PATIENCE_S
        site = self.network.site(f"{url.rstrip('/')}/charges")
        if site is None or site.down:
            reason = "timed out" if site is not None and site.down == "timeout" else "[Errno 111] Connection refused"
            return f"{lead}: {reason}", PATIENCE_S if reason == "timed out" else FIRST_BYTE_S
        if site.latency_s > PATIENCE_S:
            return f"{lead}: timed out", PATIENCE_S
        return f"HTTP {site.status} {_PHRASES.get(site.status, '')}".strip() if site.status >= 400 else "", site.latency_s


_PHRASES = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    404: "Not Found",
}
