"""The simulated Redis: keys, hits, memory, persistence, and its INFO."""

import math
import random
import time
from collections import deque
from dataclasses import dataclass, field

from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log

MAX_MEMORY = 64 << 20
VERSION = "7.0.15"


@dataclass(frozen=True, slots=True)
class CacheCounters:
    """What INFO counts since the server started."""

    at: float
    hits: int = 0
    misses: int = 0
    commands: int = 0
    expired: int = 0


@dataclass(slots=True)
class RedisServer:
    """The process of the cache's container."""

    log: Log
    chance: random.Random
    counters: deque[CacheCounters] = field(default_factory=lambda: deque(maxlen=5))
    started_at: float = 0.0
    up: bool = False
    saved_at: float = 0.0
    changes: int = 0
    slow: deque[tuple[float, float, str]] = field(default_factory=lambda: deque(maxlen=16))
    """The slow log: time, seconds, command."""
    _hits: int = 0
    _misses: int = 0

    def start(self, now: float) -> None:
        self.up, self.started_at, self.saved_at, self.changes = True, now, now, 0
        self.counters.clear()
        self.counters.append(CacheCounters(now))
        self.slow.clear()
        self._say(now, "* Server initialized")
        self._say(now, "* Ready to accept connections")

    def adopt(self, started_at: float) -> None:
        """Have been up, and used, since long before the world began."""
        self.started_at = started_at
        self.counters.clear()
        self.counters.append(CacheCounters(started_at, 2_816_004, 1_402_377, 8_190_226, 1_377_540))

    def tick(self, now: float) -> Exit | None:
        before = self.counters[-1]
        hits, misses, self._hits, self._misses = self._hits, self._misses, 0, 0
        self.counters.append(
            CacheCounters(
                now,
                before.hits + hits,
                before.misses + misses,
                before.commands + hits + 2 * misses + 1,
                before.expired + misses,
            )
        )
        self.changes += misses
        if self.chance.random() < 0.004:
            self.slow.append((now, self.chance.uniform(0.011, 0.04), "KEYS grades:student:*"))
        if self.changes >= 100 and now - self.saved_at >= 300:
            self._say(now, "* 100 changes in 300 seconds. Saving...")
            self._say(now, "* Background saving terminated with success")
            self.saved_at, self.changes = now, 0
        return None

    def stop(self, now: float) -> int:
        self._say(now, "# User requested shutdown...")
        self._say(now, "# Redis is now ready to exit, bye bye...")
        self.up = False
        return 0

    def killed(self) -> None:
        self.up = False

    def probe(self, _now: float) -> Probe | None:
        return Probe(0, "PONG") if self.up else Probe(1, "Could not connect to Redis at 127.0.0.1:6379: Connection refused")

    def load(self, now: float) -> Load:
        return Load(0.6, self.used_memory_bytes(now) + (9 << 20), 2_400, 5_100, 5)

    def lookup(self, now: float) -> bool:
        """Whether a student's grades are cached; a miss is stored. A server that is down has nothing."""
        if not self.up:
            return False
        warm = min(0.62, (now - self.started_at) / 120)
        if self.chance.random() < warm:
            self._hits += 1
            return True
        self._misses += 1
        return False

    def used_memory_bytes(self, now: float) -> int:
        """Memory of the keys: it breathes with the traffic and fills slowly after a start."""
        warm = min(1.0, (now - self.started_at) / 300)
        return int((1.4 + warm * (21.0 + 2.5 * math.sin(now / 160))) * (1 << 20))

    def info(self, now: float, counters: CacheCounters) -> str:
        """What INFO prints (the fields that are read), with the counters of a moment."""
        used = self.used_memory_bytes(now)
        earlier = self.counters[0]
        span_s = max(0.5, counters.at - earlier.at)
        grades = max(1, int(used / (1 << 20) * 15))
        fields: dict[str, dict[str, object]] = {
            "Server": {"redis_version": VERSION, "redis_mode": "standalone", "uptime_in_seconds": int(now - self.started_at)},
            "Clients": {"connected_clients": 11, "maxclients": 10_000, "blocked_clients": 0},
            "Memory": {
                "used_memory": used,
                "used_memory_rss": int(used * 1.18) + (3 << 20),
                "used_memory_peak": int(27.4 * (1 << 20)),
                "maxmemory": MAX_MEMORY,
                "maxmemory_policy": "allkeys-lru",
                "mem_fragmentation_ratio": 1.18,
            },
            "Persistence": {
                "loading": 0,
                "rdb_changes_since_last_save": self.changes,
                "rdb_bgsave_in_progress": 0,
                "rdb_last_save_time": int(self.saved_at),
                "rdb_last_bgsave_status": "ok",
                "aof_enabled": 0,
                "aof_last_write_status": "ok",
            },
            "Stats": {
                "total_connections_received": 60_211,
                "total_commands_processed": counters.commands,
                "instantaneous_ops_per_sec": round((counters.commands - earlier.commands) / span_s),
                "rejected_connections": 0,
                "expired_keys": counters.expired,
                "evicted_keys": 0,
                "keyspace_hits": counters.hits,
                "keyspace_misses": counters.misses,
            },
            "Replication": {"role": "master", "connected_slaves": 0},
            "Keyspace": {"db0": f"keys={grades + 184},expires={grades + 184},avg_ttl=31044"},
        }
        return "".join(
            f"# {name}\r\n" + "".join(f"{key}:{value}\r\n" for key, value in rows.items()) for name, rows in fields.items()
        )

    def _say(self, now: float, text: str) -> None:
        seconds, milliseconds = divmod(int(now * 1000), 1000)
        self.log.out(now, f"1:M {time.strftime('%d %b %Y %H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d} {text}")
