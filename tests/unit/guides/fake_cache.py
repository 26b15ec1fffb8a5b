"""A Redis made by hand, behind the source's protocol: a test sets what is true, and reads what was done to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from guide_stack import NOW, Stack

from console.config import SystemConfig
from console.reading import SourceError
from console.sources.protocols.cache import CacheClient, CacheInfo, CacheKey, CachePrivileges
from console.system import System

MIB = 2**20


def cache_info(**changes: object) -> CacheInfo:
    healthy = CacheInfo(
        version="7.0.15",
        server="redis",
        uptime_s=7200,
        role="master",
        used_memory_bytes=20 * MIB,
        max_memory_bytes=64 * MIB,
        peak_memory_bytes=24 * MIB,
        eviction_policy="allkeys-lru",
        fragmentation_ratio=1.1,
        clients=10,
        max_clients=10_000,
        blocked_clients=0,
        rejected_connections=0,
        operations_per_s=80.0,
        hits_per_s=60.0,
        misses_per_s=20.0,
        hit_percent=75.0,
        evicted_per_s=0.0,
        expired_per_s=0.1,
        hits=9_000,
        misses=1_000,
        keys={"db0": 120, "db1": 3},
        expiring={"db0": 100},
        rdb_last_save_at=NOW - 600,
        rdb_changes_since_save=12,
        rdb_last_save_ok=True,
        aof_enabled=False,
        aof_last_write_ok=True,
    )
    return replace(healthy, **changes)  # type: ignore[arg-type]


@dataclass
class FakeCache:
    looks: list[CacheInfo] = field(default_factory=lambda: [cache_info()])
    """What INFO answers, one look after the other; the last stays."""
    found: dict[str, CacheKey] = field(default_factory=dict)
    configured: dict[str, str] = field(
        default_factory=lambda: {"save": "3600 1", "appendonly": "no", "dir": "/data", "maxmemory": str(64 * MIB)}
    )
    failure: SourceError | None = None
    settings_failure: SourceError | None = None
    done: list[str] = field(default_factory=list)

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    async def ping(self) -> float:
        self._try()
        return 0.0004

    async def info(self) -> CacheInfo:
        self._try()
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def clients(self) -> tuple[CacheClient, ...]:
        return ()

    async def doctor(self) -> tuple[str, ...]:
        return ()

    async def privileges(self) -> CachePrivileges:
        return CachePrivileges("default", ())

    async def key(self, name: str) -> CacheKey | None:
        self._try()
        self.done.append(f"key {name}")
        return self.found.get(name)

    async def delete_key(self, name: str) -> bool:
        self._try()
        self.done.append(f"delete {name}")
        return self.found.pop(name, None) is not None

    async def flush(self) -> int:
        self.done.append("flush")
        return self.looks[0].keys["db0"]

    async def settings(self, *names: str) -> Mapping[str, str]:
        if self.settings_failure:
            raise self.settings_failure
        return {name: self.configured[name] for name in names if name in self.configured}

    async def set_setting(self, name: str, value: str) -> None:
        self.configured[name] = value
        self.done.append(f"set {name} {value}")

    def _try(self) -> None:
        if self.failure is not None:
            raise self.failure


def system_with(cache: FakeCache, stack: Stack | None = None, config: SystemConfig | None = None) -> System:
    """A stack's system with this Redis in it."""
    made = stack or Stack()
    return System(
        config=config or made.config, host=made.host, engine=made.engine, database=made.database, cache=cache, clock=lambda: NOW
    )
