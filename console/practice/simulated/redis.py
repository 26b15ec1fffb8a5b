"""The simulated Redis: keys, hits, memory, persistence, settings, who may log in, and its INFO."""

import json
import math
import random
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from console.practice.simulated.container import Exit, Load, Probe
from console.practice.simulated.log import Log

MAX_MEMORY = 64 << 20
VERSION = "7.0.15"
WARM_SHARE = 0.62
"""Share of lookups that find their key, once the cache is warm."""
EVICTING_SHARE = 0.18
"""And when keys are thrown out before they are asked for again."""
KEY_TTL_S = 300.0
SESSIONS = 184
_SIZE = re.compile(r"^(\d+)(b|k|kb|m|mb|g|gb)?$", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 10**6, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}
_CONFIG = {
    "maxmemory": str(MAX_MEMORY),
    "maxmemory-policy": "allkeys-lru",
    "maxclients": "10000",
    "save": "3600 1 300 100 60 10000",
    "appendonly": "no",
    "dir": "/data",
    "dbfilename": "dump.rdb",
    "requirepass": "",
    "timeout": "0",
    "slowlog-log-slower-than": "10000",
    "latency-monitor-threshold": "0",
}
_SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "sovd": {"maxmemory-policy": "noeviction", "appendonly": "yes"},
    "dotmac": {"dir": "/var/lib/redis"},
}
"""Where a system's server is set otherwise."""


@dataclass(frozen=True, slots=True)
class CacheCounters:
    """What INFO counts since the server started."""

    at: float
    hits: int = 0
    misses: int = 0
    commands: int = 0
    expired: int = 0
    evicted: int = 0


@dataclass(slots=True)
class Key:
    """One key. `expires_at` None: it stays for ever. `kept`: traffic reads it all the time, so that it is written anew when it
    expires; times are Unix seconds."""

    value: str
    expires_at: float | None
    touched_at: float
    type: str = "string"
    kept: bool = False


class CacheRefused(Exception):
    """An error reply, in the server's words."""


@dataclass(slots=True)
class RedisServer:
    """The process of the cache's container."""

    log: Log
    chance: random.Random
    system: str = "sms"
    given_password: str = ""
    """What the service and the console log in with."""
    config: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    """Those that have a name here; the traffic's many others are only counted."""
    counters: deque[CacheCounters] = field(default_factory=lambda: deque(maxlen=101))
    """Of the last 50 seconds: of fewer lookups the share of hits is noise."""
    started_at: float = 0.0
    up: bool = False
    saved_at: float = 0.0
    save_failed: bool = False
    changes: int = 0
    slow: deque[tuple[float, float, str]] = field(default_factory=lambda: deque(maxlen=16))
    """The slow log: time, seconds, command."""
    slow_s: float = 0.0
    """Every command takes so long: somebody keeps the one thread busy."""
    filled_bytes: int = 0
    """Memory of keys that nobody asks for, on top of the traffic's."""
    warm_share: float = WARM_SHARE
    sessions: int = SESSIONS
    """Users whose login is kept here."""
    errors: dict[str, int] = field(default_factory=dict)
    """Error replies by type, since the start."""
    _hits: int = 0
    _misses: int = 0
    _evicted: int = 0
    _warm_since: float = 0.0
    _furnished: bool = False

    def __post_init__(self) -> None:
        self.config = {**_CONFIG, **_SYSTEMS.get(self.system, {}), **self.config}

    @property
    def max_memory_bytes(self) -> int:
        """0 when there is no limit."""
        return int(self.config["maxmemory"])

    @max_memory_bytes.setter
    def max_memory_bytes(self, value: int) -> None:
        self.config["maxmemory"] = str(value)

    @property
    def password(self) -> str:
        """What it asks for; empty: nothing."""
        return self.config["requirepass"]

    @password.setter
    def password(self, value: str) -> None:
        self.config["requirepass"] = value

    @property
    def evicts(self) -> bool:
        return self.config["maxmemory-policy"] != "noeviction"

    # The process ----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        if not self.persists:
            self.keys.clear()
            self.sessions, self.filled_bytes, self._warm_since = 0 if self._furnished else SESSIONS, 0, now
        self.up, self.started_at, self.saved_at, self.changes = True, now, now, 0
        self.errors.clear()
        self.counters.clear()
        self.counters.append(CacheCounters(now))
        self.slow.clear()
        self._say(now, "* Server initialized")
        self._say(now, "* Ready to accept connections")

    def adopt(self, started_at: float) -> None:
        """Have been up, and used, since long before the world began."""
        self.started_at = self._warm_since = started_at
        self.counters.clear()
        self.counters.append(CacheCounters(started_at, 2_816_004, 1_402_377, 8_190_226, 1_377_540))

    def tick(self, now: float) -> Exit | None:
        if not self._furnished:
            self._furnish(now)
        before = self.counters[-1]
        hits, misses, evicted = self._hits, self._misses, self._evicted
        self._hits = self._misses = self._evicted = 0
        self.counters.append(
            CacheCounters(
                now,
                before.hits + hits,
                before.misses + misses,
                before.commands + hits + 2 * misses + 1,
                before.expired + misses,
                before.evicted + evicted,
            )
        )
        self.changes += misses
        if self.chance.random() < 0.004:
            self.slow.append((now, self.chance.uniform(0.011, 0.04), _SLOW_COMMAND.get(self.system, "KEYS session:*")))
        if self.config["save"] and self.changes >= 100 and now - self.saved_at >= 300:
            self._save(now)
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
        return Load(98.0 if self.slow_s else 0.6, self.used_memory_bytes(now) + (9 << 20), 2_400, 5_100, 5)

    # The server -----------------------------------------------------------------------------------------------------

    def admit(self, password: str | None = None) -> None:
        """Check whether a client gets in; without a password it comes with the one that was given out. Raises CacheRefused."""
        shown = self.given_password if password is None else password
        if not self.password or shown == self.password:
            return
        reply = "WRONGPASS invalid username-password pair or user is disabled." if shown else "NOAUTH Authentication required."
        self.errors[reply.split(" ", 1)[0]] = self.errors.get(reply.split(" ", 1)[0], 0) + 1
        raise CacheRefused(reply)

    def lookup(self, now: float) -> bool:
        """Whether what a request needs is cached; a miss is stored. A server that is down has nothing."""
        if not self.up:
            return False
        warm = min(self.warm_share, (now - self._warm_since) / 120)
        if self.pressed(now):
            if self.evicts:
                warm = min(warm, EVICTING_SHARE)
            else:
                self.errors["OOM"] = self.errors.get("OOM", 0) + 1
        if self.chance.random() < warm:
            self._hits += 1
            return True
        self._misses += 1
        if self.evicts and self.pressed(now):
            self._evicted += 1
        return False

    def pressed(self, now: float) -> bool:
        """Whether the keys want more memory than there may be: it evicts, or it refuses to write."""
        return 0 < self.max_memory_bytes <= self._wanted_bytes(now)

    def refuses_writes(self, now: float) -> bool:
        """OOM command not allowed when used memory > 'maxmemory'."""
        return self.up and not self.evicts and self.pressed(now)

    def used_memory_bytes(self, now: float) -> int:
        """Memory of the keys: it breathes with the traffic, fills slowly after a start, and stops at the limit."""
        wanted = self._wanted_bytes(now)
        return (
            min(wanted, self.max_memory_bytes - 20_000 if self.evicts else self.max_memory_bytes)
            if self.max_memory_bytes
            else wanted
        )

    def _wanted_bytes(self, now: float) -> int:
        warm = min(1.0, (now - self._warm_since) / 300)
        return int((1.4 + warm * (21.0 + 2.5 * math.sin(now / 160))) * (1 << 20)) + self.filled_bytes

    @property
    def persists(self) -> bool:
        """Whether the keys are on the disk too."""
        return bool(self.config["save"]) or self.config["appendonly"] == "yes"

    def size(self, now: float) -> int:
        """How many keys there are."""
        return max(1, int(self._wanted_bytes(now) / (1 << 20) * 15)) + self.sessions

    def find(self, name: str, now: float) -> Key | None:
        """A key that has not expired."""
        key = self.keys.get(name)
        if key is None or key.expires_at is None or key.expires_at > now:
            return key
        if not key.kept:
            del self.keys[name]
            return None
        key.expires_at += KEY_TTL_S * math.ceil((now - key.expires_at + 0.001) / KEY_TTL_S)
        key.touched_at = max(key.touched_at, key.expires_at - KEY_TTL_S)
        return key

    def delete(self, name: str, now: float) -> bool:
        there = self.find(name, now) is not None
        self.keys.pop(name, None)
        return there

    def flush(self, now: float) -> int:
        """FLUSHDB: everything is gone, sessions too; how many keys there were."""
        count = self.size(now)
        self.keys.clear()
        self.sessions, self.filled_bytes, self._warm_since = 0, 0, now
        return count

    def cool(self, now: float) -> None:
        """Some of the pages were thrown out: fewer lookups find theirs, for half a minute."""
        self._warm_since = max(self._warm_since, now - 30)

    def configure(self, name: str, value: str) -> None:
        """CONFIG SET. Raises CacheRefused."""
        name = name.lower()
        if name not in self.config:
            raise CacheRefused(f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
        if name in ("dir", "dbfilename"):
            raise CacheRefused(f"ERR CONFIG SET failed (possibly related to argument '{name}') - can't set protected config")
        if name == "maxmemory":
            size = _SIZE.match(value.strip())
            if size is None:
                raise CacheRefused(
                    "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"
                )
            value = str(int(size[1]) * _UNITS[(size[2] or "").lower()])
        self.config[name] = value

    def info(self, now: float, counters: CacheCounters) -> str:
        """What INFO prints (the fields that are read), with the counters of a moment."""
        used = self.used_memory_bytes(now)
        earlier = self.counters[0]
        span_s = max(0.5, counters.at - earlier.at)
        keys = self.size(now)
        fields: dict[str, dict[str, object]] = {
            "Server": {"redis_version": VERSION, "redis_mode": "standalone", "uptime_in_seconds": int(now - self.started_at)},
            "Clients": {"connected_clients": 11, "maxclients": int(self.config["maxclients"]), "blocked_clients": 0},
            "Memory": {
                "used_memory": used,
                "used_memory_rss": int(used * 1.18) + (3 << 20),
                "used_memory_peak": max(used, int(27.4 * (1 << 20))),
                "maxmemory": self.max_memory_bytes,
                "maxmemory_policy": self.config["maxmemory-policy"],
                "mem_fragmentation_ratio": 1.18,
            },
            "Persistence": {
                "loading": 0,
                "rdb_changes_since_last_save": self.changes,
                "rdb_bgsave_in_progress": 0,
                "rdb_last_save_time": int(self.saved_at),
                "rdb_last_bgsave_status": "err" if self.save_failed else "ok",
                "aof_enabled": int(self.config["appendonly"] == "yes"),
                "aof_last_write_status": "ok",
            },
            "Stats": {
                "total_connections_received": 60_211,
                "total_commands_processed": counters.commands,
                "instantaneous_ops_per_sec": round((counters.commands - earlier.commands) / span_s),
                "rejected_connections": 0,
                "expired_keys": counters.expired,
                "evicted_keys": counters.evicted,
                "keyspace_hits": counters.hits,
                "keyspace_misses": counters.misses,
            },
            "Errorstats": {f"errorstat_{name}": f"count={count}" for name, count in self.errors.items()},
            "Replication": {"role": "master", "connected_slaves": 0},
            "Keyspace": {"db0": f"keys={keys},expires={keys},avg_ttl=31044"},
        }
        return "".join(
            f"# {name}\r\n" + "".join(f"{key}:{value}\r\n" for key, value in rows.items()) for name, rows in fields.items()
        )

    def _save(self, now: float) -> None:
        self._say(now, "* 100 changes in 300 seconds. Saving...")
        self.changes = 0
        if self.save_failed:
            self._say(now, "# Write error saving DB on disk: No space left on device")
            self._say(now, "# Background saving error")
            return
        self._say(now, "* Background saving terminated with success")
        self.saved_at = now

    def _furnish(self, now: float) -> None:
        """Hold the keys that people ask about by name."""
        self._furnished = True
        for number in range(1, 41):
            left_s = 20.0 + (number * 37) % 270
            if self.system == "sms":
                key = Key(cached_grades(number, now), now + left_s, now - (KEY_TTL_S - left_s), kept=True)
                self.keys.setdefault(f"grades:student:{number}", key)
            self.keys.setdefault(f"session:{number:016x}", Key(f"user{number}", now + 28_000 + left_s, now - left_s))

    def _say(self, now: float, text: str) -> None:
        seconds, milliseconds = divmod(int(now * 1000), 1000)
        self.log.out(now, f"1:M {time.strftime('%d %b %Y %H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d} {text}")


_SLOW_COMMAND = {"sms": "KEYS grades:student:*"}


def cached_grades(student_id: int, now: float) -> str:
    """What the service caches of a student: the rows of its query on the first rows of the tables, newest first."""
    today = datetime.fromtimestamp(now, UTC).date()
    enrolled = [course for course in range(1, 6) if (student_id + course) % 5 < 3]
    codes = ("MATH-101", "PHYS-101", "HIST-101", "BIOL-101", "ENGL-101")
    rows = [
        {
            "code": codes[course - 1],
            "assessment_name": f"Assessment {number}",
            "score": float(40 + ((3 * (student_id - 1) + place) * 7 + number * 13) % 61),
            "grade_date": str(today - timedelta(days=9 * number)),
        }
        for number in range(1, 6)
        for place, course in enumerate(enrolled, 1)
    ]
    return json.dumps(rows)
