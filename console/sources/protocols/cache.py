"""Redis (or Valkey): memory, hits, clients, persistence, slow log, doctors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SlowEntry:
    at: float
    duration_s: float
    command: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class CacheClient:
    id: int
    address: str
    name: str
    age_s: int
    idle_s: int
    command: str


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """INFO of one server. Rates and the hit ratio are over the time since the reading before; None on the first one,
    when there was nothing to divide, or when the server does not tell."""

    version: str
    server: str
    """`redis` or `valkey`."""
    uptime_s: int
    role: str
    used_memory_bytes: int
    max_memory_bytes: int
    """0 when there is no limit."""
    peak_memory_bytes: int
    eviction_policy: str
    fragmentation_ratio: float | None
    clients: int
    max_clients: int | None
    blocked_clients: int
    rejected_connections: int
    operations_per_s: float
    hits_per_s: float | None
    misses_per_s: float | None
    hit_percent: float | None
    evicted_per_s: float | None
    expired_per_s: float | None
    hits: int | None = None
    """Since the server started, as `misses`."""
    misses: int | None = None
    evicted: int | None = None
    """Since the server started."""
    keys: Mapping[str, int] = field(default_factory=dict)
    """Keys by database ("db0")."""
    expiring: Mapping[str, int] = field(default_factory=dict)
    rdb_last_save_at: float | None = None
    rdb_changes_since_save: int | None = None
    rdb_last_save_ok: bool | None = None
    aof_enabled: bool | None = None
    aof_last_write_ok: bool | None = None
    loading: bool = False
    errors: Mapping[str, int] = field(default_factory=dict)
    """Error replies by type (`errorstats`)."""
    slow_log: tuple[SlowEntry, ...] = ()
    slow_log_failure: str = ""
    """Why the slow log could not be read (ACL), empty when it could."""
    ping_s: float | None = None

    @property
    def memory_percent(self) -> float | None:
        return 100 * self.used_memory_bytes / self.max_memory_bytes if self.max_memory_bytes else None


@dataclass(frozen=True, slots=True)
class CacheKey:
    """One key. `ttl_s`: None when it never expires. `value`: at most 64 KiB of a string, raw; empty for other types."""

    name: str
    type: str
    ttl_s: float | None
    idle_s: float | None
    """Since it was last read or written; None when the server does not tell (an LFU policy)."""
    size_bytes: int | None
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class CachePrivileges:
    user: str
    missing: tuple[str, ...]
    """Commands that we would use and may not."""


class Cache(Protocol):
    async def open(self) -> None: ...
    async def aclose(self) -> None: ...
    async def ping(self) -> float:
        """Seconds for a PING on the kept connection."""
        ...

    async def info(self) -> CacheInfo: ...
    async def clients(self) -> tuple[CacheClient, ...]: ...
    async def doctor(self) -> tuple[str, ...]:
        """The server's MEMORY DOCTOR and LATENCY DOCTOR in lines; says when the latency monitor is off."""
        ...

    async def privileges(self) -> CachePrivileges: ...
    async def key(self, name: str) -> CacheKey | None:
        """One key by its exact name; None when there is none. Reading does not count as a use where the server can help it."""
        ...

    async def delete_key(self, name: str) -> bool: ...
    async def flush(self) -> int:
        """Delete every key of the configured database (not of the whole server); how many there were."""
        ...

    async def settings(self, *names: str) -> Mapping[str, str]:
        """CONFIG GET of these names; FORBIDDEN when the server or our user does not allow it."""
        ...

    async def set_setting(self, name: str, value: str) -> None:
        """CONFIG SET one name (until the next restart)."""
        ...
